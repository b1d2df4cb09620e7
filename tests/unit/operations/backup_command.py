"""The commands `backup ...`, run with a fake Cinder."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from operations.__main__ import app
from recovery import backups as recovery_backups
from recovery import restore as recovery_restore
from tests.unit.fake_cinder import FakeCinder
from tests.unit.sample import write_stack


def configure(**backups: Any) -> None:
    """Write the stack's file."""
    changes: dict[str, Any] = {"backups": backups} if backups else {}
    write_stack(**changes)


@pytest.fixture
def cinder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCinder:
    """Return a Cinder with the stack's volumes, whose snapshots are configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recovery_backups, "POLL", 0.0)
    monkeypatch.setattr(recovery_restore, "POLL", 0.0)
    configure(kind="snapshot", keep={"daily": 2, "weekly": 0})
    fake = FakeCinder()
    for name, size in (("data", 100), ("jhome", 50)):
        fake.add("volume", f"rsp-test-nfs-{name}", "in-use", size=size, volume_type="ceph", availability_zone="nova")
    monkeypatch.setattr("operations.backup.connect", lambda _: SimpleNamespace(block_storage=fake))
    return fake


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backup", arguments[0], "-s", "test", *arguments[1:]])


def results(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.exit_code == code, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found
