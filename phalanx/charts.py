"""An application's manifests, rendered by Helm as Argo CD would, as far as the checkout alone allows."""

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
"""Characters of a parameter's name that mean more to Helm than a path of keys."""


@dataclass(frozen=True, kw_only=True)
class RenderedApplication:
    """What an Argo CD Application would deploy."""

    name: str

    namespace: str
    """Namespace of manifests that name none."""

    manifests: list[dict[str, Any]]
    """Manifests of its own chart and of the charts in the checkout that it depends on."""

    foreign_values: dict[str, Any]
    """Helm values for the charts that it depends on from elsewhere, by name: what these make of them is not known."""


def render(root: Path, application: Manifest, overrides: Mapping[str, Any] | None = None) -> RenderedApplication:
    """Render what an Argo CD Application deploys.

    Charts from elsewhere (``repository: https://...``) that were not fetched by `vendor` are left out: no network is
    needed.

    Args:
        root: Directory of the checkout.
        application: Manifest of the Application, of those that `phalanx.render.applications` gives.
        overrides: Helm values over those of the checkout.

    Raises:
        RenderError: Helm is missing or refuses the chart.
    """
    name, spec = application["metadata"]["name"], application["spec"]
    chart = root / spec["source"]["path"]
    values_files = spec["source"].get("helm", {}).get("valueFiles", [])
    given = given_values(application, overrides)
    with tempfile.TemporaryDirectory(prefix="rsp-chart-") as directory:
        staged = Path(directory) / chart.name
        foreign = _stage(chart, staged)
        manifests = helm.template(
            name, staged, values_files=values_files, overrides=given, namespace=spec["destination"]["namespace"]
        )
    values: dict[str, Any] = {}
    for file in values_files:
        values = merge(values, read_optional_mapping(chart / file))
    values = merge(values, given)
    return RenderedApplication(
        name=name,
        namespace=spec["destination"]["namespace"],
        manifests=manifests,
        foreign_values={dependency: values[dependency] for dependency in foreign if dependency in values},
    )


def made_from(root: Path, application: Manifest, overrides: Mapping[str, Any] | None = None) -> list[Any]:
    """Return all that determines what `render` gives for the same arguments, see `phalanx.cache.remembered`.

    Raises:
        RenderError: Helm is missing.
    """
    spec = application["spec"]
    source = spec["source"]
    # Not the revision: another commit with the same chart renders to the same.
    wanted = (application["metadata"]["name"], source["path"], source.get("helm"), spec["destination"]["namespace"])
    return [*helm.made_from(*_folders(root / source["path"])), *wanted, overrides]


def vendor(root: Path, application: str) -> Path:
    """Make an application's chart complete: fetch the charts from elsewhere that it depends on, if any is missing.

    Args:
        root: Directory of the checkout; what is fetched stays in it.
        application: Name of the application.

    Returns:
        The directory of the chart.

    Raises:
        RenderError: A chart cannot be had.
    """
    chart = root / "applications" / application
    missing = [dependency for dependency in _dependencies(chart) if not _is_vendored(chart, dependency)]
    if missing:
        wanted = ", ".join(f"{each['name']} {each['version']} of {each.get('repository') or chart}" for each in missing)
        # "update" finds a repository by its URL; "build" wants each to have been added by hand.
        helm.run(
            *("dependency", "update", chart),
            problem=f"Cannot fetch what the chart applications/{application} needs ({wanted})",
        )
    return chart


def given_values(application: Manifest, overrides: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Give the Helm values that an Argo CD Application has beside its values files.

    Args:
        application: Manifest of the Application.
        overrides: Values over those of its ``valuesObject``; its parameters lie over both, as for Argo CD.

    Raises:
        RenderError: A parameter is written in Helm's syntax for lists or dots, which none of Phalanx's are.
    """
    told = application["spec"]["source"].get("helm", {})
    given = merge(told.get("valuesObject", {}), overrides or {})
    for parameter in told.get("parameters", []):
        if not set(parameter["name"]).isdisjoint(_HELM_SYNTAX):
            raise RenderError(f"The Application {application['metadata']['name']} has a parameter {parameter['name']}")
        given = merge(given, _nested(parameter["name"], parameter["value"]))
    return given


def _dependencies(chart: Path) -> list[dict[str, Any]]:
    return read_mapping(chart / "Chart.yaml").get("dependencies") or []


def _is_vendored(chart: Path, dependency: Mapping[str, Any]) -> bool:
    """Tell whether the folder ``charts`` has a dependency, as a directory or an archive."""
    charts, name = chart / "charts", dependency["name"]
    return (charts / name).is_dir() or any(charts.glob(f"{name}-[0-9v]*.tgz"))


def _folders(chart: Path) -> Iterator[Path]:
    """Give the directory of a chart, and those of the charts of the checkout that it depends on."""
    yield chart
    for dependency in _dependencies(chart):
        repository = dependency.get("repository") or ""
        if repository.startswith("file://") and not _is_vendored(chart, dependency):
            yield from _folders((chart / repository.removeprefix("file://")).resolve())


def _nested(path: str, value: str) -> dict[str, Any]:
    """Make Helm values of a parameter of an Application: ``a.b`` is b in a."""
    nested: Any = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return dict(nested)


def _stage(chart: Path, staged: Path) -> list[str]:
    """Copy a chart together with the charts of the checkout that it depends on; return the names of the others."""
    shutil.copytree(chart, staged, ignore=shutil.ignore_patterns("Chart.lock"))
    near, foreign = [], []
    for dependency in _dependencies(chart):
        name, repository = dependency["name"], dependency.get("repository") or ""
        # A chart may be needed more than once, under several aliases.
        if repository.startswith("file://") and not _is_vendored(staged, dependency):
            _stage((chart / repository.removeprefix("file://")).resolve(), staged / "charts" / name)
        if _is_vendored(staged, dependency):
            near.append({**dependency, "repository": ""})
        else:
            foreign.append(dependency.get("alias") or name)
    content = read_mapping(chart / "Chart.yaml")
    (staged / "Chart.yaml").write_text(yaml.safe_dump({**content, "dependencies": near}))
    return foreign
