"""Configuration of the sandbox's Vault and permissions of its operator."""

import json
import re
from pathlib import Path

import pytest

from sandbox import paths, vault


def granted() -> dict[str, set[str]]:
    """Return the operator policy as capabilities by path."""
    policy = vault.operator_policy()
    rules = re.findall(r'^path "([^"]+)" {\n  capabilities = (\[.*\])$', policy, re.MULTILINE)
    assert len(rules) == policy.count("\n  capabilities = [")
    return {path: set(json.loads(capabilities)) for path, capabilities in rules}


def test_server_listens_on_loopback_only() -> None:
    text = json.dumps(vault.configuration())
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) == {"127.0.0.1"}


def test_command_line_and_configuration_hold_no_secret() -> None:
    process = vault.process()
    assert len(process.argv) == 3
    assert process.argv[1] == "server"
    assert not set(re.findall(r"\w+", json.dumps(vault.configuration()))) & {"token", "seal", "key"}


def test_operator_has_access_to_its_environment_only() -> None:
    rules = granted()
    assert not [path for path in rules if "*" in path]
    assert {path for path in rules if "+" in path} == {
        "secret/data/phalanx/sandbox/+",
        "secret/metadata/phalanx/sandbox/+",
    }
    assert {path for path in rules if path.startswith("sys/")} == {
        *("sys/mounts/secret", "sys/mounts/secret/tune"),
        *("sys/auth/approle", "sys/mounts/auth/approle", "sys/mounts/auth/approle/tune"),
        *("sys/policies/acl/phalanx/sandbox/read", "sys/policies/acl/phalanx/sandbox/write"),
        "sys/capabilities-self",
    }


def test_sudo_is_granted_only_where_vault_requires_it() -> None:
    held = {path for path, capabilities in granted().items() if "sudo" in capabilities}
    assert held == {"sys/auth/approle", "auth/token/create"}


def test_health_is_none_without_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_ADDRESS", "http://127.0.0.1:1")
    assert vault.health() is None
    assert not vault.ready()


def test_data_are_in_the_private_directory() -> None:
    assert Path(vault.configuration()["storage"]["raft"]["path"]).is_relative_to(paths.VAULT)
