"""Rendering of an application's manifests with Helm as Argo CD does, from the charts that the checkout contains."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from phalanx import helm
from phalanx.documents import read_mapping, read_optional_mapping
from phalanx.errors import RenderError
from phalanx.values import merge

Manifest = Mapping[str, Any]

_HELM_SYNTAX = frozenset("\\[]{},=")
"""Characters with a special meaning in the name of a Helm parameter; without them it is a path of keys."""


@dataclass(frozen=True, kw_only=True)
class RenderedApplication:
    """Manifests that an Argo CD Application would deploy."""

    name: str

    namespace: str
    """Namespace of manifests that do not set one."""

    manifests: list[dict[str, Any]]
    """Manifests of the application's chart and of its dependencies in the checkout."""

    external_values: dict[str, Any]
    """Helm values for dependencies from other repositories, by name; these charts are not rendered."""


def render(root: Path, application: Manifest, overrides: Mapping[str, Any] | None = None) -> RenderedApplication:
    """Render the manifests that an Argo CD Application deploys.

    Dependencies from other repositories (``repository: https://...``) that `vendor` has not fetched are left out, so
    that no network is needed.

    Args:
        root: Directory of the checkout.
        application: Manifest of the Application, from `phalanx.render.applications`.
        overrides: Helm values that override those of the checkout.

    Raises:
        RenderError: Helm is missing or rejects the chart.
    """
    name, spec = application["metadata"]["name"], application["spec"]
    chart = root / spec["source"]["path"]
    values_files = spec["source"].get("helm", {}).get("valueFiles", [])
    inline = inline_values(application, overrides)
    with tempfile.TemporaryDirectory(prefix="rsp-chart-") as directory:
        staged = Path(directory) / chart.name
        external = _stage(chart, staged)
        manifests = helm.template(
            name, staged, values_files=values_files, overrides=inline, namespace=spec["destination"]["namespace"]
        )
    values: dict[str, Any] = {}
    for file in values_files:
        values = merge(values, read_optional_mapping(chart / file))
    values = merge(values, inline)
    return RenderedApplication(
        name=name,
        namespace=spec["destination"]["namespace"],
        manifests=manifests,
        external_values={dependency: values[dependency] for dependency in external if dependency in values},
    )


def cache_key(root: Path, application: Manifest, overrides: Mapping[str, Any] | None = None) -> list[Any]:
    """Return everything that determines the result of `render`, as a key for `phalanx.cache.cached`.

    Args:
        root: As for `render`.
        application: As for `render`.
        overrides: As for `render`.

    Raises:
        RenderError: Helm is missing.
    """
    spec = application["spec"]
    source = spec["source"]
    # Without the revision: the same chart at another commit renders to the same manifests.
    settings = (application["metadata"]["name"], source["path"], source.get("helm"), spec["destination"]["namespace"])
    return [*helm.cache_key(*_chart_directories(root / source["path"])), *settings, overrides]


def vendor(root: Path, application: str) -> Path:
    """Fetch the missing dependencies of an application's chart into the checkout.

    Args:
        root: Directory of the checkout.
        application: Name of the application.

    Returns:
        The directory of the chart.

    Raises:
        RenderError: A dependency cannot be fetched.
    """
    chart = root / "applications" / application
    missing = [dependency for dependency in _dependencies(chart) if not _is_vendored(chart, dependency)]
    if missing:
        names = ", ".join(
            f"{each['name']} {each['version']} from {each.get('repository') or chart}" for each in missing
        )
        # "dependency build" requires that each repository was added with "helm repo add"; "update" does not.
        helm.run(
            *("dependency", "update", chart),
            problem=f"Cannot fetch the dependencies of the chart applications/{application} ({names})",
        )
    return chart


def inline_values(application: Manifest, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the Helm values that an Argo CD Application sets itself, in addition to its values files.

    Args:
        application: Manifest of the Application.
        overrides: Values that override its ``valuesObject``. Its parameters override both, as in Argo CD.

    Raises:
        RenderError: The name of a parameter uses Helm's syntax for lists or escapes, which is not supported.
    """
    helm_source = application["spec"]["source"].get("helm", {})
    values = merge(helm_source.get("valuesObject", {}), overrides or {})
    for parameter in helm_source.get("parameters", []):
        if not set(parameter["name"]).isdisjoint(_HELM_SYNTAX):
            raise RenderError(
                f"The Application {application['metadata']['name']} has a parameter {parameter['name']!r}, "
                "but only names that are paths of keys (a.b.c) are supported"
            )
        values = merge(values, _nested(parameter["name"], parameter["value"]))
    return values


def _dependencies(chart: Path) -> list[dict[str, Any]]:
    return read_mapping(chart / "Chart.yaml").get("dependencies") or []


def _is_vendored(chart: Path, dependency: Mapping[str, Any]) -> bool:
    """Return whether the chart's directory ``charts`` contains a dependency, as a directory or an archive."""
    charts, name = chart / "charts", dependency["name"]
    return (charts / name).is_dir() or any(charts.glob(f"{name}-[0-9v]*.tgz"))


def _chart_directories(chart: Path) -> Iterator[Path]:
    """Yield the directory of a chart, and those of its dependencies in the checkout."""
    yield chart
    for dependency in _dependencies(chart):
        repository = dependency.get("repository") or ""
        if repository.startswith("file://") and not _is_vendored(chart, dependency):
            yield from _chart_directories((chart / repository.removeprefix("file://")).resolve())


def _nested(path: str, value: str) -> dict[str, Any]:
    """Convert a parameter to Helm values: ``a.b`` becomes ``{"a": {"b": value}}``."""
    nested: Any = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return dict(nested)


def _stage(chart: Path, staged: Path) -> list[str]:
    """Copy a chart and its dependencies in the checkout; return the names of all other dependencies."""
    shutil.copytree(chart, staged, ignore=shutil.ignore_patterns("Chart.lock"))
    vendored, external = [], []
    for dependency in _dependencies(chart):
        name, repository = dependency["name"], dependency.get("repository") or ""
        # A chart may depend on the same chart several times, under different aliases.
        if repository.startswith("file://") and not _is_vendored(staged, dependency):
            _stage((chart / repository.removeprefix("file://")).resolve(), staged / "charts" / name)
        if _is_vendored(staged, dependency):
            vendored.append({**dependency, "repository": ""})
        else:
            external.append(dependency.get("alias") or name)
    content = read_mapping(chart / "Chart.yaml")
    (staged / "Chart.yaml").write_text(yaml.safe_dump({**content, "dependencies": vendored}))
    return external
