"""Rendering of an application's manifests with Helm as Argo CD does, from the charts that the checkout contains."""

import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator

from phalanx import helm
from phalanx.documents import read_mapping, read_optional_mapping, validate
from phalanx.errors import RenderError
from phalanx.values import merge

Manifest = Mapping[str, Any]

_HELM_SYNTAX = frozenset("\\[]{},=")
"""Characters with a special meaning in the name of a Helm parameter; without them it is a path of keys."""

_LOCAL = "file://"
"""Start of the repository of a dependency in the checkout."""


class Dependency(BaseModel):
    """A dependency of a chart (https://helm.sh/docs/topics/charts/)."""

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]
    version: str = ""
    repository: str = ""
    alias: str | None = None

    @field_validator("repository")
    @classmethod
    def _has_no_credentials(cls, repository: str) -> str:
        if "@" in repository.partition("://")[2].partition("/")[0]:
            raise ValueError("must not contain a user or password")
        return repository

    @property
    def is_local(self) -> bool:
        """Whether it is a chart of the checkout."""
        return self.repository.startswith(_LOCAL)


class ChartMetadata(BaseModel):
    """The settings in a Chart.yaml that this program uses."""

    dependencies: tuple[Dependency, ...] | None = None
    kube_version: str = Field(default="", alias="kubeVersion")
    """Kubernetes releases on which Helm installs the chart, as a range of versions; empty for all."""


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
        PhalanxError: Helm is missing or rejects the chart, or a file of the chart is malformed.
    """
    name, spec = application["metadata"]["name"], application["spec"]
    path = spec["source"]["path"]
    chart = root / path
    values_files = spec["source"].get("helm", {}).get("valueFiles", [])
    inline = inline_values(application, overrides)
    with tempfile.TemporaryDirectory(prefix="rsp-chart-") as directory:
        staged = Path(directory) / chart.name
        external = _stage(root, chart, staged)
        manifests = helm.template(
            name,
            staged,
            shown=path,
            values_files=values_files,
            overrides=inline,
            namespace=spec["destination"]["namespace"],
        )
    values: dict[str, Any] = {}
    for file in values_files:
        values = merge(values, read_optional_mapping(chart / file, root))
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
        PhalanxError: Helm is missing, or a Chart.yaml is malformed.
    """
    spec = application["spec"]
    source = spec["source"]
    # Without the revision: the same chart at another commit renders to the same manifests.
    settings = (application["metadata"]["name"], source["path"], source.get("helm"), spec["destination"]["namespace"])
    return [*helm.cache_key(*chart_directories(root, root / source["path"])), *settings, overrides]


def chart_directories(root: Path, chart: Path, dependents: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the directory of a chart, and those of its dependencies in the checkout, at any depth.

    Args:
        root: Directory of the checkout.
        chart: Directory of the chart.
        dependents: Directories of the charts that depend on it.

    Raises:
        RenderError: A dependency is not in the checkout, or depends on itself.
        PhalanxError: A Chart.yaml is missing or malformed.
    """
    yield chart
    for dependency in dependencies(root, chart):
        if dependency.is_local and not is_vendored(chart, dependency):
            yield from chart_directories(root, local(root, chart, dependency, dependents), (*dependents, chart))


def vendor(root: Path, application: str) -> Path:
    """Fetch the missing dependencies of an application's chart into the checkout.

    Args:
        root: Directory of the checkout.
        application: Name of the application.

    Returns:
        The directory of the chart.

    Raises:
        PhalanxError: A dependency cannot be fetched, or the Chart.yaml is malformed.
    """
    path = f"applications/{application}"
    chart = root / path
    missing = [dependency for dependency in dependencies(root, chart) if not is_vendored(chart, dependency)]
    for dependency in missing:
        if dependency.is_local:
            local(root, chart, dependency)
    if missing:
        names = ", ".join(f"{each.name} {each.version} from {each.repository or path}" for each in missing)
        # "dependency build" requires that each repository was added with "helm repo add"; "update" does not.
        helm.run(
            *("dependency", "update", chart),
            problem=f"{path}/Chart.yaml: dependencies: cannot be fetched ({names})",
            shown={chart: path},
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


def metadata(root: Path, chart: Path) -> ChartMetadata:
    """Read the Chart.yaml of a chart.

    Args:
        root: Directory of the checkout.
        chart: Directory of the chart.

    Raises:
        PhalanxError: The file is missing or malformed.
    """
    path = chart / "Chart.yaml"
    return validate(ChartMetadata, read_mapping(path, root), str(path.relative_to(root)))


def dependencies(root: Path, chart: Path) -> Sequence[Dependency]:
    """Return the dependencies of a chart.

    Args:
        root: Directory of the checkout.
        chart: Directory of the chart.

    Raises:
        PhalanxError: The Chart.yaml is missing or malformed.
    """
    return metadata(root, chart).dependencies or ()


def is_vendored(chart: Path, dependency: Dependency) -> bool:
    """Return whether the directory ``charts`` of a chart contains a dependency, as a directory or an archive.

    Args:
        chart: Directory of the chart.
        dependency: The dependency.
    """
    charts = chart / "charts"
    return (charts / dependency.name).is_dir() or any(charts.glob(f"{dependency.name}-[0-9v]*.tgz"))


def local(root: Path, chart: Path, dependency: Dependency, dependents: tuple[Path, ...] = ()) -> Path:
    """Return the directory of a dependency in the checkout.

    Args:
        root: Directory of the checkout.
        chart: Directory of the chart.
        dependency: The dependency.
        dependents: Directories of the charts that depend on the chart.

    Raises:
        RenderError: The directory is outside of the checkout, or depends on the chart itself.
    """
    found = (chart / dependency.repository.removeprefix(_LOCAL)).resolve()
    where = f"{chart.relative_to(root)}/Chart.yaml: dependencies: {dependency.name}: {dependency.repository}"
    if not found.is_relative_to(root.resolve()) or not (found / "Chart.yaml").is_file():
        raise RenderError(
            f"{where} is not a chart of the Phalanx repository, expected for example file://../../charts/a"
        )
    found = root / found.relative_to(root.resolve())
    if found in (*dependents, chart):
        raise RenderError(f"{where} depends on this chart itself")
    return found


def _nested(path: str, value: str) -> dict[str, Any]:
    """Convert a parameter to Helm values: ``a.b`` becomes ``{"a": {"b": value}}``."""
    nested: Any = value
    for key in reversed(path.split(".")):
        nested = {key: nested}
    return dict(nested)


def _stage(root: Path, chart: Path, staged: Path, dependents: tuple[Path, ...] = ()) -> list[str]:
    """Copy a chart and its dependencies in the checkout; return the names of all other dependencies."""
    content = read_mapping(chart / "Chart.yaml", root)
    shutil.copytree(chart, staged, ignore=shutil.ignore_patterns("Chart.lock"))
    vendored, external = [], []
    for position, dependency in enumerate(dependencies(root, chart)):
        # A chart may depend on the same chart several times, under different aliases.
        if dependency.is_local and not is_vendored(staged, dependency):
            found = local(root, chart, dependency, dependents)
            _stage(root, found, staged / "charts" / dependency.name, (*dependents, chart))
        if is_vendored(staged, dependency):
            vendored.append({**content["dependencies"][position], "repository": ""})
        else:
            external.append(dependency.alias or dependency.name)
    (staged / "Chart.yaml").write_text(yaml.safe_dump({**content, "dependencies": vendored}))
    return external
