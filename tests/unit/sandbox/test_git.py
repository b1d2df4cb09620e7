"""Publishing of the sandbox's Phalanx repository, with the real git."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from sandbox import git, paths, tools
from sandbox.errors import SandboxError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed; `make up` installs it")

CRDS = "applications/argocd/charts/argo-cd/crds/argocd.yaml"


@pytest.fixture(autouse=True)
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    crds = tmp_path / "crds.yaml"
    crds.write_text("kind: CustomResourceDefinition\nmetadata:\n  name: applications.argoproj.io\n")
    monkeypatch.setattr(tools, "ensure", lambda *_, **__: tmp_path)
    monkeypatch.setattr(tools, "argocd_crds", lambda: crds)
    return fresh(tmp_path / "first", monkeypatch)


def fresh(home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "GIT", home / "phalanx.git")
    return home / "phalanx.git"


def log(repository: Path) -> list[str]:
    command = ["git", f"--git-dir={repository}", "log", "--format=%H", git.BRANCH]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


def test_same_content_is_the_same_commit_everywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = git.publish()
    fresh(tmp_path / "second", monkeypatch)
    assert git.publish() == first


def test_publishing_unchanged_content_creates_no_commit(repository: Path) -> None:
    commit = git.publish()
    assert git.publish() == commit
    assert log(repository) == [commit]


def test_published_tree_is_the_source_and_argocds_crds(tmp_path: Path) -> None:
    git.publish()
    git.checkout(tmp_path / "tree")
    published = {str(path.relative_to(tmp_path / "tree")) for path in (tmp_path / "tree").rglob("*") if path.is_file()}
    source = {str(path.relative_to(git.SOURCE)) for path in git.SOURCE.rglob("*") if path.is_file()}
    assert published == source | {CRDS}
    definition = yaml.safe_load((tmp_path / "tree" / CRDS).read_text())
    assert definition["metadata"] == {
        "name": "applications.argoproj.io",
        "annotations": {"helm.sh/resource-policy": "keep"},
    }


def test_publishing_reverts_a_pushed_change(repository: Path, tmp_path: Path) -> None:
    published = git.publish()
    git.checkout(tmp_path / "tree")
    (tmp_path / "tree" / "README.md").write_text("changed\n")
    changed = git.commit(tmp_path / "tree", "Change")
    assert log(repository) == [changed, published]
    restored = git.publish()
    assert log(repository) == [restored, changed, published]
    git.checkout(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text() == (git.SOURCE / "README.md").read_text()


def test_files_created_by_helm_are_not_published(tmp_path: Path) -> None:
    shutil.copytree(git.SOURCE, tmp_path / "source")
    before = git.commit(tmp_path / "source", "Before")
    charts = tmp_path / "source" / "applications" / "tap" / "charts"
    charts.mkdir()
    (charts / "cadc-tap-1.0.0.tgz").write_bytes(b"archive")
    (charts.parent / "Chart.lock").write_text("generated: now\n")
    assert git.commit(tmp_path / "source", "After") == before


def test_missing_git_is_reported_with_the_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="git is not installed"):
        git.publish()
