import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from phalanx import charts
from phalanx.charts import RenderedApplication
from phalanx.errors import PhalanxError, RenderError
from tests.unit.phalanx.repository import write

CONFIG_MAP = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: {name}
data: {{{{ .Values | toJson }}}}
"""


def chart(name: str, *dependencies: dict[str, str]) -> dict[str, Any]:
    return {"apiVersion": "v2", "name": name, "version": "1.0.0", "dependencies": list(dependencies)}


def argocd_application(name: str, **helm: Any) -> dict[str, Any]:
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": name},
        "spec": {"destination": {"namespace": f"ns-{name}"}, "source": {"path": f"applications/{name}", "helm": helm}},
    }


def values_seen(application: RenderedApplication, name: str) -> dict[str, Any]:
    """Return the Helm values with which a chart of an application was rendered."""
    (found,) = (manifest["data"] for manifest in application.manifests if manifest["metadata"]["name"] == name)
    return dict(found)


@pytest.fixture
def root(tmp_path: Path, helm: str) -> Path:  # noqa: ARG001 - needed on PATH
    """Create a repository whose application tap depends on a chart of its own, a shared one and an external one."""
    return write(
        tmp_path,
        {
            "applications/tap/Chart.yaml": chart(
                "tap",
                {"name": "own", "version": "1.0.0"},
                {"name": "shared", "version": "1.0.0", "repository": "file://../../charts/shared"},
                {"name": "shared", "alias": "again", "version": "1.0.0", "repository": "file://../../charts/shared"},
                {"name": "redis", "alias": "cache", "version": "1.0.0", "repository": "https://charts.example.org"},
            ),
            "applications/tap/values.yaml": {"shared": {"a": 1, "b": 1}, "cache": {"size": 1, "on": True}},
            "applications/tap/values-test.yaml": {"shared": {"b": 2}, "cache": {"size": 2}},
            "applications/tap/templates/map.yaml": CONFIG_MAP.format(name="tap"),
            "applications/tap/charts/own/Chart.yaml": chart("own"),
            "applications/tap/charts/own/templates/map.yaml": CONFIG_MAP.format(name="own"),
            "charts/shared/Chart.yaml": chart(
                "shared", {"name": "deeper", "version": "1.0.0", "repository": "file://../deeper"}
            ),
            "charts/shared/templates/map.yaml": CONFIG_MAP.format(name="{{ .Chart.Name }}"),
            "charts/deeper/Chart.yaml": chart("deeper"),
            "charts/deeper/templates/map.yaml": CONFIG_MAP.format(name="{{ .Release.Name }}-deeper"),
        },
    )


FILES = ["values.yaml", "values-test.yaml"]


def test_only_charts_of_the_checkout_are_rendered_and_values_of_others_are_returned(root: Path) -> None:
    before = sorted(root.rglob("*"))
    application = charts.render(root, argocd_application("tap", valueFiles=FILES))
    assert sorted(root.rglob("*")) == before
    names = sorted(manifest["metadata"]["name"] for manifest in application.manifests)
    assert names == ["again", "own", "shared", "tap", "tap-deeper", "tap-deeper"]
    assert (application.name, application.namespace) == ("tap", "ns-tap")
    assert application.external_values == {"cache": {"size": 2, "on": True}}


def test_values_are_merged_as_by_argo_cd(root: Path) -> None:
    manifest = argocd_application(
        "tap",
        valueFiles=FILES,
        valuesObject={"shared": {"c": 3, "d": 3}},
        parameters=[{"name": "shared.e", "value": "5"}, {"name": "global.host", "value": "rsp.example.org"}],
    )
    application = charts.render(root, manifest, overrides={"shared": {"d": 4}})
    seen = values_seen(application, "shared")
    assert {key: seen[key] for key in "abcde"} == {"a": 1, "b": 2, "c": 3, "d": 4, "e": "5"}
    assert seen["global"] == {"host": "rsp.example.org"}


def test_an_invalid_chart_is_named(root: Path) -> None:
    write(root, {"applications/tap/templates/bad.yaml": '{{ required "config.tap is needed" .Values.tap }}'})
    with pytest.raises(RenderError, match=r"^applications/tap: Helm cannot render the chart: .*config\.tap is needed$"):
        charts.render(root, argocd_application("tap"))


def test_dependencies_are_fetched_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(
        root,
        {
            "applications/argocd/Chart.yaml": chart(
                "argocd", {"name": "deeper", "version": "1.0.0", "repository": "file://../../charts/deeper"}
            )
        },
    )
    assert charts.vendor(root, "argocd") == root / "applications/argocd"
    assert [path.name for path in (root / "applications/argocd/charts").iterdir()] == ["deeper-1.0.0.tgz"]
    monkeypatch.setenv("PATH", "")  # without Helm it can only succeed if nothing has to be fetched
    charts.vendor(root, "argocd")


def test_dependencies_that_cannot_be_fetched_are_named(root: Path) -> None:
    nowhere = {"name": "argo-cd", "version": "1.0.0", "repository": "file://../nowhere"}
    write(root, {"applications/argocd/Chart.yaml": chart("argocd", nowhere)})
    with pytest.raises(
        RenderError,
        match=r"^applications/argocd/Chart\.yaml: dependencies: argo-cd: file://\.\./nowhere is not a chart of the",
    ):
        charts.vendor(root, "argocd")
    assert not list((root / "applications/argocd").glob("charts/*"))


def test_parameters_of_an_application_override_its_values_object() -> None:
    application = argocd_application(
        "mobu",
        valuesObject={"global": {"host": "old", "other": "kept"}},
        parameters=[{"name": "global.host", "value": "rsp.example.org"}, {"name": "a-b.c.d", "value": "1"}],
    )
    assert charts.inline_values(application, {"global": {"host": "overridden too"}, "fact": 1}) == {
        "global": {"host": "rsp.example.org", "other": "kept"},
        "a-b": {"c": {"d": "1"}},
        "fact": 1,
    }


@pytest.mark.parametrize("name", [r"a\.b", "list[0]", "one,two"])
def test_helm_syntax_in_a_parameter_is_rejected(name: str) -> None:
    application = argocd_application("mobu", parameters=[{"name": name, "value": ""}])
    with pytest.raises(RenderError, match="Application mobu has a parameter"):
        charts.inline_values(application)


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ({"dependencies": "redis"}, "dependencies: "),
        ({"dependencies": ["redis"]}, "dependencies[0]: must be a mapping"),
        ({"dependencies": [{"version": "1.0.0"}]}, "dependencies[0].name: is missing"),
        ({"dependencies": [{"name": 5}]}, "dependencies[0].name: must be text: put it in quotes"),
        ({"dependencies": [{"name": "../redis"}]}, "dependencies[0].name: "),
        (
            {"dependencies": [{"name": "redis", "repository": "https://somebody:hunter2@charts.example.org"}]},
            "dependencies[0].repository: must not contain a user or password",
        ),
        (
            {"dependencies": [{"name": "redis", "repository": "file://../../../../etc"}]},
            "dependencies: redis: file://../../../../etc is not a chart of the Phalanx repository, expected for",
        ),
        (
            {"dependencies": [{"name": "redis", "repository": "file:///etc"}]},
            "dependencies: redis: file:///etc is not a chart of the Phalanx repository",
        ),
    ],
)
@pytest.mark.parametrize("function", [charts.render, charts.cache_key])
def test_a_malformed_chart_is_reported_with_its_file(
    root: Path, metadata: dict[str, Any], problem: str, function: Callable[..., object]
) -> None:
    write(root, {"applications/tap/Chart.yaml": chart("tap") | metadata})
    with pytest.raises(PhalanxError) as caught:
        function(root, argocd_application("tap"))
    assert str(caught.value).startswith(f"applications/tap/Chart.yaml: {problem}")
    assert "hunter2" not in str(caught.value)


def test_a_missing_chart_is_reported(root: Path) -> None:
    with pytest.raises(PhalanxError, match=r"^applications/sia/Chart\.yaml: cannot be read: No such file"):
        charts.render(root, argocd_application("sia"))


@pytest.mark.parametrize("function", [charts.render, charts.cache_key])
def test_charts_that_depend_on_each_other_are_reported(root: Path, function: Callable[..., object]) -> None:
    shared = {"name": "shared", "version": "1.0.0", "repository": "file://../shared"}
    write(root, {"charts/deeper/Chart.yaml": chart("deeper", shared)})
    with pytest.raises(
        RenderError, match=r"^charts/deeper/Chart\.yaml: dependencies: shared: file://\.\./shared depends on this chart"
    ):
        function(root, argocd_application("tap"))


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("a: [", "applications/tap: Helm cannot render the chart: YAML parse error on tap/templates/bad.yaml: "),
        ("{{ .Values.a.b }}", "applications/tap: Helm cannot render the chart: template: tap/templates/bad.yaml:1:"),
        ("a: 1", "applications/tap: the chart renders to a mapping that is no manifest: expected kind and metadata"),
        ("kind: Pod\nmetadata: a", "applications/tap: "),
        ("kind: [Pod]\nmetadata: {}", "applications/tap: "),
    ],
)
def test_a_template_that_fails_is_named_relative_to_the_checkout(root: Path, template: str, problem: str) -> None:
    write(root, {"applications/tap/templates/bad.yaml": template})
    with pytest.raises(RenderError) as caught:
        charts.render(root, argocd_application("tap", valueFiles=FILES))
    assert str(caught.value).startswith(problem)
    assert not {tempfile.gettempdir(), str(root), "\n"} & set(re.split("( |\n)", str(caught.value)))
    assert "rsp-chart-" not in str(caught.value)


def test_a_values_file_that_helm_rejects_is_named_relative_to_the_checkout(root: Path) -> None:
    write(root, {"applications/tap/values-test.yaml": "- a\n"})
    with pytest.raises(
        RenderError, match=r"^applications/tap: Helm .* failed to parse applications/tap/values-test\.yaml"
    ):
        charts.render(root, argocd_application("tap", valueFiles=FILES))


def test_the_cause_of_a_failed_download_is_reported(root: Path) -> None:
    nowhere = {"name": "argo-cd", "version": "1.0.0", "repository": "https://127.0.0.1:1/charts"}
    write(root, {"applications/argocd/Chart.yaml": chart("argocd", nowhere)})
    with pytest.raises(RenderError) as caught:
        charts.vendor(root, "argocd")
    message = str(caught.value)
    assert message.startswith(
        "applications/argocd/Chart.yaml: dependencies: cannot be fetched (argo-cd 1.0.0 from https://127.0.0.1:1/charts)"
    )
    assert "connection refused" in message
    assert "helm-manager" not in message


def test_repositories_of_the_user_are_not_used(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = {"apiVersion": "", "repositories": [{"name": "mine", "url": "https://127.0.0.1:1/mine"}]}
    write(tmp_path, {"helm/repositories.yaml": mine})
    monkeypatch.setenv("HELM_CONFIG_HOME", str(tmp_path / "helm"))
    monkeypatch.setenv("HELM_REPOSITORY_CONFIG", str(tmp_path / "helm" / "repositories.yaml"))
    deeper = {"name": "deeper", "version": "1.0.0", "repository": "file://../../charts/deeper"}
    write(root, {"applications/argocd/Chart.yaml": chart("argocd", deeper)})
    charts.vendor(root, "argocd")
    assert list((root / "applications/argocd/charts").iterdir())
    assert list((tmp_path / "helm").iterdir()) == [tmp_path / "helm" / "repositories.yaml"]


def test_a_cache_that_cannot_be_written_is_reported_without_its_path(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        RenderError, match=r"^applications/tap: Helm .*: the cache directory cannot be written"
    ) as caught:
        charts.render(root, argocd_application("tap"))
    assert str(tmp_path) not in str(caught.value)
