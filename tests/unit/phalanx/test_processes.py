"""Processes that may run third-party code do not get credentials in their environment."""

import json
import sys
from pathlib import Path

import pytest

from phalanx import checkout, helm, static_secrets
from phalanx.errors import PhalanxError

SPY = """#!{python}
import json, os, sys
json.dump(dict(os.environ), open({seen!r}, "w"))
print("applications: {{}}")
sys.exit({status})
"""
CREDENTIALS = {
    "PULUMI_CONFIG": "planted-config",
    "PULUMI_CONFIG_PASSPHRASE": "planted-passphrase",
    "VAULT_TOKEN": "planted-token",
    "OS_PASSWORD": "planted-password",
}


@pytest.fixture
def seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Replace the programs by ones that write their environment to a file; return the file's path."""
    seen = tmp_path / "seen.json"
    for name, status in (("git", 1), ("helm", 1), ("sops", 0)):
        program = tmp_path / name
        program.write_text(SPY.format(python=sys.executable, seen=str(seen), status=status))
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example.org")
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    return seen


def test_git_gets_no_credentials(seen: Path) -> None:
    with pytest.raises(PhalanxError):
        checkout.resolve("https://git.example.org/phalanx.git", "main")
    assert_without(seen, *CREDENTIALS)


def test_helm_gets_no_credentials(seen: Path) -> None:
    with pytest.raises(PhalanxError):
        helm.run("template", problem="Helm fails")
    assert_without(seen, *CREDENTIALS)


def test_sops_gets_the_credentials_of_vault_only(seen: Path, tmp_path: Path) -> None:
    file = tmp_path / "secrets.yaml"
    file.write_text("sops: {}\n")
    static_secrets.load(file)
    assert_without(seen, "PULUMI_CONFIG", "PULUMI_CONFIG_PASSPHRASE", "OS_PASSWORD")
    assert json.loads(seen.read_text())["VAULT_TOKEN"] == "planted-token"


def assert_without(seen: Path, *names: str) -> None:
    environment = json.loads(seen.read_text())
    assert environment["HTTPS_PROXY"] == "http://proxy.example.org"
    assert [name for name in names if name in environment] == []
