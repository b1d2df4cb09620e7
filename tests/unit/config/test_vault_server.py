from typing import Any

import pytest

from config.loader import SEALED, ConfigError
from tests.unit.sample import vault_stack, vault_stack_data

WHERE = "rsp-vault:server"
SEAL_KEY = vault_stack_data()["server"]["seal"]["key"]


def test_a_complete_configuration_is_accepted() -> None:
    assert vault_stack().url == "https://vault.example.org:8200"


def test_a_file_can_be_read_without_its_key() -> None:
    sealed = {"server__seal__key__value": SEALED, "server__adminPassword": SEALED}
    assert vault_stack(**sealed).server.seal.kind == "static"


def test_a_key_of_the_platform_is_unknown_here() -> None:
    with pytest.raises(ConfigError, match=r"rsp-vault:nfs is not a known key; known here: cloud, host, network"):
        vault_stack(nfs={})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"address": "10.21.0.11"}, f"{WHERE}.address: 10.21.0.11 is outside network.cidr"),
        ({"address": "10.20.0.200"}, f"{WHERE}.address: 10.20.0.200 cannot be a fixed address"),
        ({"clients": []}, f"{WHERE}.clients: must not be empty. Expected: Networks that may connect to port 8200"),
        ({"clients": None}, f"{WHERE}.clients is missing"),
        ({"clients": ["0.0.0.0/0"]}, f"{WHERE}.clients: 0.0.0.0/0 would open Vault to a large part"),
        ({"clients": ["128.0.0.0/1"]}, f"{WHERE}.clients: 128.0.0.0/1 would open Vault"),
        ({"tls": {"kind": "acme"}, "floatingIp": False}, "tls.kind acme needs floatingIp true"),
        ({"tls": {"kind": "none"}}, f"{WHERE}.tls.kind must be one of acme, given"),
        ({"seal": {"kind": "aws"}}, f"{WHERE}.seal.kind must be one of static, transit, shamir"),
        ({"adminPassword": None}, "adminPassword is missing: with seal static no other user may change policies"),
        ({"backupPassword": "short"}, f"{WHERE}.backupPassword: must have at least 12 characters"),
        ({"seal": {"kind": "static", "key": {"id": "a", "value": "dG9vIHNob3J0"}}}, "is not 32 bytes in base64"),
        ({"seal": {"kind": "static", "key": SEAL_KEY, "previousKey": SEAL_KEY}}, "have the same id first"),
        ({"package": {"version": "2.4.1", "sha256": "ab" * 32}}, f"{WHERE}.package.version: 2.4.1 is older than 2.6.0"),
        ({"package": {"version": "2.7.2"}}, f"{WHERE}.package.sha256 is missing"),
    ],
)
def test_a_mistake_is_reported_with_its_key_and_without_its_value(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        vault_stack(**{f"server__{key}": value for key, value in changes.items()})
    assert message in str(caught.value)
    assert "planted" not in str(caught.value)
    assert "dG9vIHNob3J0" not in str(caught.value)
