"""Programs of the machine are used if their version fits."""

from pathlib import Path

import pytest

from sandbox import paths
from sandbox.tools import installed
from sandbox.tools.versions import Tool

HELM = Tool(name="helm-of-the-test", version="3.22.1", version_arguments=("version", "--short"))
APISERVER = Tool(name="kube-apiserver-of-the-test", version="1.36.3", same_patch=True)


def put_on_path(directory: Path, name: str, output: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = directory / name
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{output}\nEND\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(directory), prepend=":")
    return program


@pytest.mark.parametrize("version", ["3.22.1", "3.22.2", "3.22.10"])
def test_same_minor_version_with_no_older_patch_fits(version: str) -> None:
    assert installed.fits(HELM, version)


@pytest.mark.parametrize("version", ["3.22.0", "3.21.9", "3.23.1", "4.22.1", None])
def test_other_versions_do_not_fit(version: str | None) -> None:
    assert not installed.fits(HELM, version)


def test_kubernetes_must_be_exactly_the_pinned_release() -> None:
    assert installed.fits(APISERVER, "1.36.3")
    assert not installed.fits(APISERVER, "1.36.4")


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("v3.22.1+g0123abc", "3.22.1"),
        ("etcd Version: 3.7.3\nGit SHA: 1234567\nGo Version: go1.26.8", "3.7.3"),
        ("kwok version v0.8.0 go1.26.8 (linux/amd64)", "0.8.0"),
        ("argocd: v3.5.7+unknown", "3.5.7"),
        ("nothing of the kind", None),
    ],
)
def test_version_is_read_from_the_programs_output(
    output: str, version: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = put_on_path(tmp_path, HELM.name, output, monkeypatch)
    assert installed.version_of(HELM, program) == version


def test_program_on_path_is_found_only_if_it_fits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = put_on_path(tmp_path, HELM.name, "v3.22.1", monkeypatch)
    assert installed.find(HELM) == program
    put_on_path(tmp_path, HELM.name, "v3.21.0", monkeypatch)
    assert installed.find(HELM) is None


def test_program_that_does_not_run_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_on_path(tmp_path, HELM.name, "v3.22.1", monkeypatch).write_bytes(b"\x7fELF, but broken")
    assert installed.find(HELM) is None


def test_a_former_build_in_the_store_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "CACHE", tmp_path)
    former = tmp_path / "tools" / "bin" / "former"
    former.mkdir(parents=True)
    put_on_path(former, HELM.name, "v3.22.1", monkeypatch)
    assert installed.find(HELM) is None
