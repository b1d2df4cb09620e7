"""Only applications that have changed since an earlier run are rendered again."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phalanx import charts, resource_uses
from phalanx.custom_resources import CustomResource
from phalanx.resource_uses import Reference, Uses, VaultSecret
from tests.unit.phalanx.repository import write
from tests.unit.phalanx.test_charts import argocd_application, chart

TEMPLATE = """\
apiVersion: ricoberger.de/v1alpha1
kind: VaultSecret
metadata: {name: server}
spec: {path: secret/phalanx/test/tap, type: Opaque}
---
apiVersion: v1
kind: Secret
metadata: {name: generated}
stringData: {password: planted-in-a-chart}
---
apiVersion: v1
kind: Pod
metadata: {name: server}
spec: {containers: [{env: [{name: X, valueFrom: {secretKeyRef: {name: server, key: {{ .Values.key | quote }}}}}]}]}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, helm: str) -> Path:  # noqa: ARG001 - needed on PATH
    """Create a repository with two applications, of which tap depends on a shared chart."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shared = {"name": "shared", "version": "1.0.0", "repository": "file://../../charts/shared"}
    return write(
        tmp_path / "phalanx",
        {
            "applications/tap/Chart.yaml": chart("tap", shared),
            "applications/tap/values.yaml": {"key": "password"},
            "applications/tap/templates/all.yaml": TEMPLATE,
            "applications/portal/Chart.yaml": chart("portal"),
            "charts/shared/Chart.yaml": chart("shared"),
        },
    )


@pytest.fixture
def rendered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Record the names of the applications that are rendered."""
    names: list[str] = []
    render = charts.render

    def record(root: Path, application: dict[str, Any], overrides: dict[str, Any] | None = None) -> Any:
        names.append(application["metadata"]["name"])
        return render(root, application, overrides)

    monkeypatch.setattr(charts, "render", record)
    return names


def uses_of_all(root: Path, **overrides: dict[str, Any]) -> list[Uses]:
    namespace = {"kind": "Namespace", "metadata": {"name": "tap"}}
    manifests = [argocd_application("tap", valueFiles=["values.yaml"]), namespace, argocd_application("portal")]
    return resource_uses.find_all(root, manifests, overrides)


def test_each_application_is_rendered_once(root: Path, rendered: list[str]) -> None:
    found = uses_of_all(root)
    assert found == [
        Uses(
            vault_secrets=(
                VaultSecret(
                    path="secret/phalanx/test/tap",
                    namespace="ns-tap",
                    name="server",
                    keys=(),
                    renamed=False,
                    reader="tap: VaultSecret/server",
                ),
            ),
            references=(Reference(namespace="ns-tap", secret="server", key="password", reader="tap: Pod/server"),),
            custom_resources=(CustomResource(group="ricoberger.de", name="tap: VaultSecret/server"),),
        ),
        Uses(vault_secrets=(), references=()),
    ]
    assert sorted(rendered) == ["portal", "tap"]
    assert uses_of_all(root) == found
    assert len(rendered) == 2


def test_another_commit_with_the_same_charts_renders_nothing(root: Path, rendered: list[str]) -> None:
    for commit in ("a" * 40, "b" * 40):
        manifest = argocd_application("tap", valueFiles=["values.yaml"])
        manifest["spec"]["source"]["targetRevision"] = commit
        resource_uses.find_all(root, [manifest])
    assert rendered == ["tap"]


CHANGES: dict[str, Callable[[Path], object]] = {
    "values": lambda root: write(root, {"applications/tap/values.yaml": {"key": "other"}}),
    "template": lambda root: write(root, {"applications/tap/templates/all.yaml": TEMPLATE.replace("Pod", "Job")}),
    "new file": lambda root: write(root, {"applications/tap/templates/more.yaml": ""}),
    "shared chart": lambda root: write(root, {"charts/shared/templates/map.yaml": ""}),
    "fetched chart": lambda root: write(root, {"applications/tap/charts/shared/Chart.yaml": chart("shared")}),
    "removed file": lambda root: (root / "applications/tap/templates/all.yaml").unlink(),
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_application_whose_chart_has_changed_is_rendered_again(root: Path, rendered: list[str], change: str) -> None:
    uses_of_all(root)
    rendered.clear()
    CHANGES[change](root)
    uses_of_all(root)
    assert rendered == ["tap"]


def test_an_application_with_other_values_is_rendered_again(root: Path, rendered: list[str]) -> None:
    uses_of_all(root)
    rendered.clear()
    ((reference,), _) = (each.references for each in uses_of_all(root, tap={"key": "other"}))
    assert (rendered, reference.key) == (["tap"], "other")


def test_another_helm_renders_all_applications(
    root: Path, rendered: list[str], helm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    uses_of_all(root)
    shutil.copy(helm, tmp_path / "helm")
    monkeypatch.setenv("PATH", str(tmp_path))
    uses_of_all(root)
    assert sorted(rendered) == ["portal", "portal", "tap", "tap"]


def test_no_secret_of_a_chart_is_cached(root: Path, tmp_path: Path) -> None:
    uses_of_all(root)
    cached = b"".join(path.read_bytes() for path in (tmp_path / "cache").rglob("*.json"))
    assert b"tap: Pod/server" in cached
    assert b"planted" not in cached
