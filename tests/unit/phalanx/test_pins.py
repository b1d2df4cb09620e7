"""Revisions of Applications, with Git."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from phalanx import checkout, history, pins
from phalanx.manifests import Manifests
from phalanx.source import PhalanxSource
from tests.unit import given_phalanx
from tests.unit.phalanx import phalanx_git

APPLICATIONS = ("mobu", "tap")


pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Create a repository whose tap depends on a shared chart, which depends on another one."""
    files: dict[str, Any] = {
        "applications/mobu/Chart.yaml": phalanx_git.CHART,
        "applications/mobu/values.yaml": {"key": "first"},
        "applications/tap/Chart.yaml": chart("../../charts/cadc-tap"),
        "applications/tap/templates/pod.yaml": "",
        "applications/tap/values.yaml": {"key": "first"},
        "charts/cadc-tap/Chart.yaml": chart("../redis"),
        "charts/redis/Chart.yaml": phalanx_git.CHART,
    }
    return phalanx_git.init(tmp_path / "phalanx", files)


def chart(dependency: str) -> dict[str, Any]:
    name = dependency.rpartition("/")[2]
    return {**phalanx_git.CHART, "dependencies": [{"name": name, "repository": f"file://{dependency}"}]}


def manifest(name: str) -> dict[str, Any]:
    helm = {"valueFiles": ["values.yaml", "values-test.yaml"]}
    return {"metadata": {"name": name}, "spec": {"source": {"path": f"applications/{name}", "helm": helm}}}


def source(root: Path, **revisions: str) -> PhalanxSource:
    """Return the environment of `main`, with some applications of other revisions."""
    manifests = Manifests(namespaces={}, projects={}, applications={name: manifest(name) for name in APPLICATIONS})
    return replace(
        given_phalanx.source({}),
        checkout=checkout.resolve(f"file://{root}", "main"),
        other_checkouts={name: checkout.resolve(f"file://{root}", each) for name, each in revisions.items()},
        manifests=manifests,
    )


def pinned(root: Path, *following: str, **revisions: str) -> dict[str, str]:
    applications = pins.pin(source(root, **revisions), following).manifests.applications
    return {name: each["spec"]["source"]["targetRevision"] for name, each in applications.items()}


def changes_of_taps_files(root: Path) -> Iterator[str]:
    """Make one commit after the other; yield what each has changed."""
    for file in (
        "applications/tap/templates/new.yaml",
        "applications/tap/values-test.yaml",
        "applications/tap/files/values-other.yaml",
        "charts/cadc-tap/values.yaml",
        "charts/redis/templates/redis.yaml",
    ):
        phalanx_git.commit(root, {file: "a: 1\n"})
        yield file
    (root / "applications/tap/templates/pod.yaml").unlink()
    phalanx_git.commit(root, {})
    yield "a removed file"


def test_a_commit_changes_only_the_applications_that_are_rendered_from_its_files(root: Path) -> None:
    before = pinned(root)
    for change in changes_of_taps_files(root):
        assert pinned(root) == {**before, "tap": phalanx_git.git(root, "rev-parse", "HEAD")}, change


def test_other_files_change_no_application(root: Path) -> None:
    before = pinned(root)
    others = (
        "README.md",
        "applications/sia/values.yaml",
        "applications/tap/README.md",
        "applications/tap/secrets.yaml",
        "applications/tap/secrets-test.yaml",
        "applications/tap/values-prod.yaml",
        "applications/tap/values-t.yaml",
        "applications/tap/values-tes.yaml",
        "applications/tap/values-test2.yaml",
        "applications/tap/values-tess.yaml",
        "charts/other/values.yaml",
        "charts/redis/README.md",
        "environments/values-prod.yaml",
        "environments/values-test.yaml",
    )
    phalanx_git.commit(root, dict.fromkeys(others, "{}\n"))
    assert pinned(root) == before
    for file in others:
        (root / file).unlink()
    phalanx_git.commit(root, {})
    assert pinned(root) == before


def test_the_target_of_a_link_counts(root: Path) -> None:
    (root / "applications/tap/values-test.yaml").symlink_to("../../shared.yaml")
    phalanx_git.commit(root, {"shared.yaml": "a: 1\n"})
    before = pinned(root)
    commit = phalanx_git.commit(root, {"shared.yaml": "a: 2\n"})
    assert pinned(root) == {**before, "tap": commit}


def test_a_configured_revision_rolls_back_one_application(root: Path) -> None:
    before = pinned(root)
    old = phalanx_git.git(root, "rev-parse", "HEAD")
    new = phalanx_git.commit(root, {f"applications/{name}/values.yaml": {"key": "new"} for name in APPLICATIONS})
    assert pinned(root) == {"mobu": new, "tap": new}
    assert pinned(root, tap=old) == {"mobu": new, "tap": before["tap"]}
    phalanx_git.git(root, "tag", "v1", old)
    assert pinned(root, tap="v1") == {"mobu": new, "tap": before["tap"]}
    assert pinned(root, "tap", tap="v1") == {"mobu": new, "tap": "v1"}
    assert pinned(root, "mobu") == {"mobu": "main", "tap": new}


def test_the_history_is_read_once_for_a_commit(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = pinned(root)
    monkeypatch.setattr(history, "git", None)
    assert pinned(root) == before


def test_only_the_values_of_the_environment_are_among_the_files() -> None:
    assert list(pins._other_values(["values.yaml", "values-ab.yaml"])) == [  # noqa: SLF001
        "values-[!a]*.yaml",
        "values-.yaml",
        "values-a[!b]*.yaml",
        "values-a.yaml",
        "values-ab?*.yaml",
    ]
    assert list(pins._other_values(["values.yaml"])) == ["values-*.yaml"]  # noqa: SLF001
    assert list(pins._other_values(["values-a.yaml", "values-b.yaml"])) == []  # noqa: SLF001
