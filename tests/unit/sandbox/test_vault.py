"""What the sandbox's Vault is configured to be, and what its operator may do."""

import json
import re
from pathlib import Path

import pytest

from sandbox import paths, vault


def granted() -> dict[str, set[str]]:
    """The operator policy: path -> capabilities."""
    rules = re.findall(r'^path "([^"]+)"\s*{ capabilities = (\[[^\]]*\]) }$', vault.OPERATOR_POLICY, re.MULTILINE)
    assert len(rules) == vault.OPERATOR_POLICY.count("capabilities")
    return {path: set(json.loads(capabilities)) for path, capabilities in rules}


def test_server_listens_on_loopback_only() -> None:
    text = json.dumps(vault.configuration())
    assert set(re.findall(r"\d+\.\d+\.\d+\.\d+", text)) == {"127.0.0.1"}


def test_command_line_and_configuration_hold_no_secret() -> None:
    process = vault.process()
    assert len(process.argv) == 3
    assert process.argv[1] == "server"
    assert not set(re.findall(r"\w+", json.dumps(vault.configuration()))) & {"token", "seal", "key"}


def test_operator_is_not_root() -> None:
    rules = granted()
    assert not {"*", "sys/*", "auth/*", "+/*"} & set(rules)
    assert not [path for path in rules if re.match(r"sys/(seal|unseal|init|generate-root|raw|rotate|storage)", path)]


def test_operator_cannot_widen_its_own_policy() -> None:
    assert granted()["sys/policies/acl/sandbox-operator"] == {"read"}


def test_sudo_is_held_only_where_vault_asks_for_it() -> None:
    assert {path for path, capabilities in granted().items() if "sudo" in capabilities} == {
        "sys/auth/*",
        "auth/token/create",
        "auth/token/create-orphan",
    }


def test_nothing_answers_where_no_server_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_ADDRESS", "http://127.0.0.1:1")
    assert vault.health() is None
    assert not vault.ready()


def test_data_lie_in_the_directory_that_only_root_may_read() -> None:
    assert Path(vault.configuration()["storage"]["raft"]["path"]).is_relative_to(paths.VAULT)
