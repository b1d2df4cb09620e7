from pathlib import Path
from types import SimpleNamespace
from typing import Any

import hvac.exceptions
import pytest
from pydantic import SecretStr

from config.loader import SEALED
from phalanx.errors import SecretsError
from probes import openstack_preflight, own_vault, preflight, vault_client, vault_preflight
from probes.own_vault import Presence
from probes.problem import Problem
from tests import openbao
from tests.sandbox.vault_vm import self_signed
from tests.unit.sample import environment, vault_server_data

SERVER, VOLUME = "server-id", "rsp-test-vault-data"


class FakeCloud:
    """What OpenStack has of the server."""

    def __init__(self, *, server: bool, volume: bool, attached: bool, floating_ip: bool) -> None:
        attachments = [{"server_id": SERVER}] if attached else []
        self._servers = [SimpleNamespace(id=SERVER)] if server else []
        self._volumes = [SimpleNamespace(attachments=attachments)] if volume else []
        self._ips = [SimpleNamespace()] if floating_ip else []
        self.block_storage = SimpleNamespace(volumes=self._named(self._volumes, VOLUME))
        self.compute = SimpleNamespace(servers=self._named(self._servers, "^rsp-test-vault$"))
        self.network = SimpleNamespace(ports=lambda **_: [SimpleNamespace(id="port")], ips=lambda **_: self._ips)

    @staticmethod
    def _named(found: list[Any], wanted: str) -> Any:
        def listed(name: str) -> list[Any]:
            assert name == wanted
            return found

        return listed


@pytest.mark.parametrize(
    ("server", "volume", "attached", "floating_ip", "found"),
    [
        (False, False, False, False, Presence.ABSENT),
        (False, True, False, False, Presence.LOST),
        (True, True, False, True, Presence.LOST),
        (True, True, True, False, Presence.LOST),
        (True, True, True, True, Presence.THERE),
    ],
)
def test_the_cloud_tells_a_new_server_from_a_lost_one_and_from_an_outage(  # noqa: PLR0913, PLR0917
    monkeypatch: pytest.MonkeyPatch, server: bool, volume: bool, attached: bool, floating_ip: bool, found: Presence
) -> None:
    cloud = FakeCloud(server=server, volume=volume, attached=attached, floating_ip=floating_ip)
    monkeypatch.setattr(openstack_preflight, "connect", lambda _: cloud)
    assert own_vault.presence(environment(vault__deploy=vault_server_data()), "test") is found


def test_nobody_is_asked_for_a_vault_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(openstack_preflight, "connect")
    assert own_vault.presence(environment(), "test") is Presence.THERE


def test_nothing_is_in_a_vault_that_was_never_there_and_nobody_knows_what_is_in_a_lost_one() -> None:
    settings = environment(vault__deploy=vault_server_data())
    target: Any = SimpleNamespace()
    assert own_vault.read(settings, target, Presence.ABSENT) == {}
    with pytest.raises(SecretsError, match="run the same command again"):
        own_vault.read(settings, target, Presence.LOST)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://vault.example.org:8200", "vaultUrl in the Phalanx environment is http://vault.example.org:8200"),
        ("https://vault.example.org", "makes a Vault at https://NAME:8200"),
        ("https://203.0.113.16:8200", "write the name there"),
        ("https://other.example.org:8200", "tls.crt: is valid for vault.example.org, expected other.example.org"),
    ],
)
def test_the_name_that_applications_use_must_be_the_servers(url: str, said: str) -> None:
    certificate, key = self_signed("vault.example.org")
    given = vault_server_data(tls={"kind": "given", "certificate": certificate, "key": key})
    settings = environment(vault__deploy=given).vault.deploy
    assert settings
    assert list(own_vault.check(settings, "https://vault.example.org:8200")) == []
    (problem,) = own_vault.check(settings, url)
    assert said in problem.what
    assert url in problem.what


@pytest.mark.parametrize(("presence", "asked"), [(Presence.ABSENT, 0), (Presence.LOST, 0), (Presence.THERE, 1)])
def test_vault_is_asked_once_it_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, presence: Presence, asked: int
) -> None:
    outage = Problem(where="Vault", what="does not answer")
    monkeypatch.setattr(openstack_preflight, "check", lambda *_: [])
    monkeypatch.setattr(own_vault, "presence", lambda *_: presence)
    monkeypatch.setattr(own_vault, "check", lambda *_: [])
    monkeypatch.setattr(vault_preflight, "check", lambda *_, **__: [outage])
    target = SimpleNamespace(vault_url="https://vault.example.org:8200")
    monkeypatch.setattr("phalanx.checkout.resolve", lambda *_: SimpleNamespace(path=tmp_path))
    monkeypatch.setattr("phalanx.environment.load", lambda *_: target)
    settings = environment(vault__deploy=vault_server_data())
    assert preflight.Questions(settings, "test").problems() == [outage] * asked


def test_the_programs_user_logs_in_with_its_password(tmp_path: Path) -> None:
    with openbao.server(tmp_path) as bao:
        bao.root.sys.enable_auth_method("userpass")
        bao.root.auth.userpass.create_or_update_user("rsp-operator", "planted-operator")
        client = vault_client.connect(bao.url, SecretStr("planted-operator"))
        token: Any = client.lookup_token()
        assert token["data"]["meta"]["username"] == "rsp-operator"
        with pytest.raises(vault_client.VaultTokenError, match=r"rsp:vault\.deploy\.operatorPassword") as caught:
            vault_client.connect(bao.url, SecretStr("planted-wrong"))
        assert "planted" not in str(caught.value)


def test_a_server_that_waits_for_people_is_told_from_one_that_refuses(tmp_path: Path) -> None:
    with openbao.uninitialised(tmp_path) as url, pytest.raises(hvac.exceptions.VaultNotInitialized):
        vault_client.connect(url, SecretStr("planted-operator"))


def test_outside_pulumi_a_person_logs_in() -> None:
    sealed = environment(vault__deploy=vault_server_data(operatorPassword=SEALED)).vault
    assert own_vault.operator_password(sealed) is None
    known = own_vault.operator_password(environment(vault__deploy=vault_server_data()).vault)
    assert known
    assert known.get_secret_value() == "planted-operator"
    assert own_vault.operator_password(environment().vault) is None
