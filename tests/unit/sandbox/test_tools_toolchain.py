"""Selection of the Go toolchain: the machine's, a download, the cache's, or a wheel's."""

import hashlib
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.tools import toolchain
from sandbox.tools.downloads import Downloads
from sandbox.tools.versions import GO, Download

NOBODY_LISTENS = "http://127.0.0.1:1/go.tar.gz"


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only directory on PATH, on a machine without network access."""
    directory = tmp_path / "bin"
    directory.mkdir()
    monkeypatch.setenv("PATH", f"{directory}:/bin")
    monkeypatch.setattr(toolchain, "_USUAL_PLACE", str(directory))
    offer(monkeypatch, Download(url=NOBODY_LISTENS, sha256={Downloads().architecture: "0" * 64}))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return directory


def offer(monkeypatch: pytest.MonkeyPatch, download: Download) -> None:
    monkeypatch.setattr(toolchain, "GO", replace(GO, download=download))


def write_go(path: Path, version: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n[ \"$1 $2\" = 'env GOVERSION' ] && echo go{version}\n")
    path.chmod(0o755)


def release(tmp_path: Path, version: str) -> Download:
    write_go(tmp_path / "release" / "go" / "bin" / "go", version)
    archive = tmp_path / "go.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        tar.add(tmp_path / "release" / "go", arcname="go")
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    return Download(url=archive.as_uri(), sha256={Downloads().architecture: checksum})


def found(tmp_path: Path) -> str:
    return toolchain.find_or_install(tmp_path / "cache", Downloads())[1]


@pytest.mark.parametrize("version", [GO.minimum, "1.26.10", "1.30"])
def test_machines_toolchain_is_used_if_recent_enough(version: str, machine: Path, tmp_path: Path) -> None:
    write_go(machine / "go", version)
    assert found(tmp_path) == f"Go {version} of this machine"


def test_toolchain_that_is_too_old_is_ignored(machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_go(machine / "go", "1.19.8")
    offer(monkeypatch, release(tmp_path, GO.version))
    assert found(tmp_path) == f"Go {GO.version}, downloaded"
    assert found(tmp_path) == f"Go {GO.version} of the cache"


def test_wheel_is_the_last_resort(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_unpack_wheel", lambda into: write_go(into / "go" / "bin" / "go", "1.26.6"))
    assert found(tmp_path) == f"Go {GO.wheel_version} of the wheel {GO.wheel}"
    assert found(tmp_path) == f"Go {GO.wheel_version} of the cache"


def test_failure_lists_the_attempts(tmp_path: Path) -> None:
    with pytest.raises(SandboxError, match=f"Go >= {GO.minimum} is required") as refused:
        found(tmp_path)
    for place in ("PATH", NOBODY_LISTENS, f"{GO.wheel}=={GO.wheel_version}"):
        assert place in str(refused.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_toolchain_that_does_not_run_is_not_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(toolchain, "_unpack_wheel", lambda into: (into / "go").mkdir())
    with pytest.raises(SandboxError, match="does not run"):
        found(tmp_path)
    assert list((tmp_path / "cache").iterdir()) == []
