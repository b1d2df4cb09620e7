"""A provider plugin of a killed run ends before its resources are searched for."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from recovery import plugins
from recovery.pulumi_stack import PulumiStack
from recovery.recover import recover
from tests.unit.recovery.fake_pulumi import FakePulumi


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[psutil.Process]:
    """Yield a plugin in its own session whose parent has exited."""
    program = tmp_path / "pulumi-resource-test"
    shutil.copy2(shutil.which("sleep") or "sleep", program)
    started = subprocess.run(
        ["sh", "-c", f"setsid {program} 60 >/dev/null 2>&1 & echo $!"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    process = psutil.Process(int(started.stdout))
    deadline = time.monotonic() + 5
    while process.name() != program.name and time.monotonic() < deadline:
        time.sleep(0.01)
    yield process
    if process.is_running():
        process.kill()


def test_only_plugins_of_the_project_are_found(orphan: psutil.Process, tmp_path: Path) -> None:
    assert plugins.abandoned(tmp_path) == [orphan]
    assert plugins.abandoned(tmp_path / "cli") == []


def test_a_recovery_ends_the_plugins_of_the_killed_run(
    orphan: psutil.Process, tmp_path: Path, pulumi: FakePulumi
) -> None:
    pulumi.lock(f"root@{socket.gethostname()} (pid 999999999)")
    recover(PulumiStack("test", tmp_path))
    assert plugins.abandoned(tmp_path) == []
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE
