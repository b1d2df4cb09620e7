"""The program with a Vault of its own: what it makes while that is not there, and how it opens it."""

import json
from typing import Any

import pulumi
import pytest

from components import vault_ready
from components.vault_ready import Expectation
from probes import own_vault
from probes.own_vault import Presence
from tests.unit.program.conftest import StackRunner
from tests.unit.recording import Recording
from tests.unit.sample import vault_server_data


@pytest.fixture(autouse=True)
def _ready(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait(expected: Expectation, _: str) -> str:
        return expected.url

    monkeypatch.setattr(vault_ready, "wait", wait)


def deploy(address: str) -> dict[str, Any]:
    return {"vault": {"deploy": vault_server_data(address=address)}}


def test_an_existing_vault_is_opened_by_a_token_and_nothing_is_made(run_stack: StackRunner) -> None:
    recording = run_stack("roe")
    assert recording.of("rsp:index:VaultServer") == []
    assert "authLoginUserpass" not in recording.one("pulumi:providers:vault").inputs
    assert recording.exports["vaultAddress"] == ""


def test_one_run_makes_vault_and_all_that_needs_it(run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_vault, "presence", lambda *_: Presence.ABSENT)
    recording = run_stack("sandbox", changes=deploy("10.20.0.11"))
    provider = recording.one("pulumi:providers:vault")
    login = json.loads(provider.inputs["authLoginUserpass"])
    assert login == {"username": "rsp-operator", "password": "planted-operator"}
    assert provider.veiled["authLoginUserpass"] == "[secret]"
    server = recording.one("Instance", "vault-server")
    assert recording.one("VolumeAttach", "vault-data-attachment").urn in provider.dependencies
    assert 'path \\"sys/policies/acl/phalanx/sandbox/read\\"' in server.inputs["userData"].replace("\\\\", "\\")
    assert recording.of("SecretV2")
    assert recording.exports["vaultAddress"] == "203.0.113.16"


def test_a_first_preview_does_not_know_where_vault_will_be(
    run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_vault, "presence", lambda *_: Presence.ABSENT)
    recording = run_stack("sandbox", changes=deploy("10.20.0.11"), preview=True)
    assert "http" not in recording.one("pulumi:providers:vault").inputs["address"]
    assert recording.of("SecretV2")


@pytest.mark.parametrize(
    ("presence", "said"),
    [(Presence.ABSENT, "missing: give each secret"), (Presence.LOST, "run the same command again")],
)
def test_vault_comes_first_where_something_is_to_be_written_to_it_or_read_from_it(
    run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch, presence: Presence, said: str
) -> None:
    monkeypatch.setattr(own_vault, "presence", lambda *_: presence)
    recording = Recording()
    with pytest.raises(pulumi.RunError, match=said):
        run_stack("roe", changes=deploy("10.64.0.11"), recording=recording)
    assert recording.of("rsp:index:VaultServer")
    assert recording.one("VolumeAttach", "vault-data-attachment")
    assert recording.of("Cluster") == []
    assert recording.of("SecretV2") == []
