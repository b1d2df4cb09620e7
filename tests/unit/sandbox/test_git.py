"""Publishing the sandbox's Phalanx with the real git, into a repository of the test's own."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from sandbox import git, paths, tools
from sandbox.errors import SandboxError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed; `make up` gets it")

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


def test_publishing_again_makes_no_commit(repository: Path) -> None:
    commit = git.publish()
    assert git.publish() == commit
    assert log(repository) == [commit]


def test_published_tree_is_the_source_and_argocds_definitions(tmp_path: Path) -> None:
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


def test_change_is_pushed_on_top_and_publishing_takes_it_back(repository: Path, tmp_path: Path) -> None:
    published = git.publish()
    git.checkout(tmp_path / "tree")
    (tmp_path / "tree" / "README.md").write_text("changed\n")
    changed = git.commit(tmp_path / "tree", "Change")
    assert log(repository) == [changed, published]
    restored = git.publish()
    assert log(repository) == [restored, changed, published]
    git.checkout(tmp_path / "again")
    assert (tmp_path / "again" / "README.md").read_text() == (git.SOURCE / "README.md").read_text()


def test_what_helm_leaves_behind_is_not_published(tmp_path: Path) -> None:
    shutil.copytree(git.SOURCE, tmp_path / "source")
    before = git.commit(tmp_path / "source", "Before")
    charts = tmp_path / "source" / "applications" / "tap" / "charts"
    charts.mkdir()
    (charts / "cadc-tap-1.0.0.tgz").write_bytes(b"archive")
    (charts.parent / "Chart.lock").write_text("generated: now\n")
    assert git.commit(tmp_path / "source", "After") == before


def test_missing_git_names_the_way_to_mend_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SandboxError, match="git is not installed"):
        git.publish()
