from typing import Any

import pytest

from config.loader import SEALED, ConfigError
from tests.unit.sample import environment, vault_server_data

WHERE = "rsp:vault.deploy"
SEAL_KEY = vault_server_data()["seal"]["key"]


def test_a_vault_of_our_own_is_asked_for() -> None:
    assert environment().vault.deploy is None
    assert environment(vault__deploy=vault_server_data()).vault.deploy


def test_a_file_can_be_read_without_its_key() -> None:
    seal = {"kind": "static", "key": {"id": "first", "value": SEALED}}
    assert environment(vault__deploy=vault_server_data(seal=seal, operatorPassword=SEALED)).vault.deploy


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"address": "10.21.0.11"}, f"{WHERE}.address: 10.21.0.11 is outside network.cidr"),
        ({"address": "10.20.0.200"}, f"{WHERE}.address: 10.20.0.200 cannot be a fixed address"),
        ({"address": "10.20.0.10"}, f"{WHERE}.address: 10.20.0.10 is also nfs.address"),
        ({"clients": ["0.0.0.0/0"]}, f"{WHERE}.clients: 0.0.0.0/0 would open Vault to half the world"),
        ({"clients": ["128.0.0.0/1"]}, f"{WHERE}.clients: 128.0.0.0/1 would open Vault"),
        ({"tls": {"kind": "acme"}, "floatingIp": False}, "tls.kind acme needs floatingIp true"),
        ({"tls": {"kind": "none"}}, f"{WHERE}.tls.kind must be one of acme, given"),
        ({"seal": {"kind": "aws"}}, f"{WHERE}.seal.kind must be one of static, transit, shamir"),
        ({"adminPassword": None}, "adminPassword is missing: with seal static nobody else may change policies"),
        ({"operatorPassword": "short"}, f"{WHERE}.operatorPassword: Value should have at least 12 items"),
        ({"seal": {"kind": "static", "key": {"id": "a", "value": "dG9vIHNob3J0"}}}, "is not 32 bytes in base64"),
        ({"seal": {"kind": "static", "key": SEAL_KEY, "previousKey": SEAL_KEY}}, "have the same id first"),
        ({"package": {"version": "2.4.1", "sha256": "ab" * 32}}, f"{WHERE}.package.version: 2.4.1 is older than 2.6.0"),
        ({"package": {"version": "2.7.2"}}, f"{WHERE}.package.sha256 is missing"),
        ({"package": {"version": "2.7.2", "sha256": "x"}}, f"{WHERE}.package.sha256: String should match"),
    ],
)
def test_a_slip_is_told_by_its_key_and_without_its_value(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(vault__deploy=vault_server_data(**changes))
    assert said in str(caught.value)
    assert "planted" not in str(caught.value)
    assert "dG9vIHNob3J0" not in str(caught.value)
