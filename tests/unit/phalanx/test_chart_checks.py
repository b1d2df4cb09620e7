"""Checks of charts against Helm itself."""

import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from phalanx import chart_checks
from tests.unit.phalanx.repository import write

DEPENDENCY = {"name": "shared", "version": ">=1.0.0 <2", "repository": "file://../../charts/shared"}
FULL = DEPENDENCY | {
    "alias": "again",
    "condition": "again.enabled",
    "tags": ["a", "b"],
    "import-values": ["data", {"parent": "p", "child": "c"}],
}


def chart(name: str, **settings: Any) -> dict[str, Any]:
    return {"apiVersion": "v2", "name": name, "version": "1.0.0", **settings}


@pytest.fixture
def root(tmp_path: Path, helm: str, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001 - needed on PATH
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    files = {"applications/tap/Chart.yaml": chart("tap", dependencies=[DEPENDENCY, FULL])}
    return write(tmp_path / "phalanx", {**files, "charts/shared/Chart.yaml": chart("shared")})


def helm_dependency(root: Path, command: str) -> subprocess.CompletedProcess[str]:
    arguments = ("helm", "dependency", command, "--skip-refresh", str(root / "applications/tap"))
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    shutil.rmtree(root / "applications/tap/charts", ignore_errors=True)
    return done


def test_a_lock_is_outdated_if_helm_says_so(root: Path) -> None:
    assert helm_dependency(root, "update").returncode == 0
    assert list(chart_checks.problems(root, "tap", ())) == []
    write(root, {"applications/tap/Chart.yaml": chart("tap", dependencies=[FULL])})
    assert "Chart.lock) is out of sync" in helm_dependency(root, "build").stderr
    (problem,) = chart_checks.problems(root, "tap", ())
    assert problem == (
        "applications/tap/Chart.lock: digest: is not that of the dependencies in Chart.yaml, so Argo CD refuses "
        "the chart: run `helm dependency update applications/tap` and commit Chart.lock, or delete the file, as "
        "Phalanx has none"
    )


@pytest.mark.parametrize("dependencies", [[None], ["shared"], [{"name": date(2026, 1, 1), "version": None}], {}])
def test_a_lock_that_helm_cannot_read_is_outdated(root: Path, dependencies: Any) -> None:
    write(root, {"applications/tap/Chart.lock": {"dependencies": dependencies, "digest": "sha256:0"}})
    (problem,) = chart_checks.problems(root, "tap", ())
    assert problem.startswith("applications/tap/Chart.lock: digest: is not that of the dependencies")


def test_the_lock_of_a_chart_with_its_dependencies_is_not_read(root: Path) -> None:
    write(root, {"applications/tap/Chart.lock": {}, "applications/tap/charts/shared/Chart.yaml": chart("shared")})
    assert list(chart_checks.problems(root, "tap", ())) == []


@pytest.mark.parametrize(
    ("supported", "release", "refused"),
    [
        (">=1.25.0-0", "v1.36.3", False),
        (">=1.25.0", "v1.28.9-rancher1", False),
        ("^1.20.0 || >=2.0.0", "v1.36.3", False),
        (">=1.40.0-0", "v1.36.3", True),
        ("<1.30", "v1.36.3", True),
        ("any", "v1.36.3", True),
        (">=1.40.0-0", "", False),
    ],
)
def test_the_kubernetes_release_must_be_one_that_helm_accepts(
    root: Path, supported: str, release: str, refused: bool
) -> None:
    write(root, {"applications/tap/Chart.yaml": chart("tap", kubeVersion=supported)})
    problems = list(chart_checks.problems(root, "tap", [release] if release else []))
    expected = (
        f"applications/tap/Chart.yaml: kubeVersion: is {supported!r}, which Helm enforces, expected a range that "
        f"contains {release}, the release in rsp:clusters.NAME.kubernetesVersion: choose an image with a release "
        "that the chart supports, or another version of the application"
    )
    assert problems == ([expected] if refused else [])
