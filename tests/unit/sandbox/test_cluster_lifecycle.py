"""Magnum's driver and `cloud up` may start, stop and delete the same cluster at the same time."""

import fcntl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import pytest

from sandbox.cluster import lifecycle
from sandbox.cluster.description import DESCRIPTION
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import KubeError
from sandbox.errors import SandboxError


@pytest.fixture
def directory(tmp_path: Path) -> ClusterDirectory:
    path = tmp_path / "6852a151"
    path.mkdir()
    (path / DESCRIPTION).write_text("{}")
    return ClusterDirectory(path)


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    paths: list[Path] = []
    monkeypatch.setattr(lifecycle, "_up", lambda directory: paths.append(directory.path))
    return paths


@contextmanager
def locked(directory: ClusterDirectory) -> Iterator[None]:
    with (directory.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def test_a_cluster_that_is_deleted_is_not_started_again(directory: ClusterDirectory, started: list[Path]) -> None:
    with locked(directory):
        waiting = threading.Thread(target=lifecycle.up, args=(directory,))
        waiting.start()
        waiting.join(0.05)
        assert waiting.is_alive()
        (directory.path / DESCRIPTION).unlink()
    waiting.join()
    assert started == []


def test_a_cluster_is_stopped_once_its_start_has_ended(directory: ClusterDirectory) -> None:
    with locked(directory):
        waiting = threading.Thread(target=lifecycle.down, args=(directory,), kwargs={"delete": True})
        waiting.start()
        waiting.join(0.05)
        assert directory.path.exists()
    waiting.join()
    assert not directory.path.exists()


def test_a_cluster_that_does_not_start_does_not_hold_back_the_others(
    directory: ClusterDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    (directory.path / "api_address").touch()
    monkeypatch.setattr(lifecycle, "clusters", lambda: [directory, directory])
    monkeypatch.setattr(ClusterDirectory, "description", SimpleNamespace(name="rsp"))
    monkeypatch.setattr(lifecycle, "_up", Mock(side_effect=KubeError("is immutable", 422)))
    with pytest.raises(SandboxError, match=r"cluster rsp: is immutable\ncluster rsp: is immutable"):
        lifecycle.repair()
