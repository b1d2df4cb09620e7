"""Processes that may run third-party code do not get credentials in their environment."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from phalanx import checkout, helm, processes, static_secrets
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


def test_a_program_that_takes_too_long_is_ended_with_its_children() -> None:
    seconds = f"60.{os.getpid()}"
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        # The child keeps the output open, as a transport of Git does.
        processes.run(("sh", "-c", f"sleep {seconds} & sleep {seconds}"), env=processes.environment(), timeout=0.2)
    assert time.monotonic() - began < 10
    while any(seconds in (each.info["cmdline"] or ()) for each in psutil.process_iter(["cmdline"])):
        assert time.monotonic() - began < 10
        time.sleep(0.01)


def test_a_program_has_neither_a_terminal_nor_input() -> None:
    done = processes.run(("sh", "-c", "cat; (exec </dev/tty) 2>&1 || true"), env=processes.environment(), timeout=5)
    assert "/dev/tty" in done.stdout


def test_output_that_is_not_utf_8_is_read() -> None:
    done = processes.run(
        (sys.executable, "-c", r"open(1, 'wb').write(b'\xff')"), env=processes.environment(), timeout=9
    )
    assert done.stdout == "\ufffd"
