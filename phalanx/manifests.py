"""Manifests of Phalanx's ``environments`` chart, sorted by kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, StringConstraints

from phalanx.charts import Manifest
from phalanx.documents import validate
from phalanx.errors import PhalanxError, Problems

_Path = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$")]
"""A relative path that does not leave its directory."""


class ManifestError(PhalanxError):
    """The chart renders to a manifest that this program does not support."""


class _Parameter(BaseModel):
    name: str
    value: str


class _Helm(BaseModel):
    parameters: tuple[_Parameter, ...] = ()
    value_files: tuple[_Path, ...] = Field(default=(), alias="valueFiles")
    values_object: Mapping[str, Any] = Field(default={}, alias="valuesObject")


class _Source(BaseModel):
    path: _Path
    repo_url: str = Field(alias="repoURL")
    target_revision: str = Field(alias="targetRevision")
    helm: _Helm = _Helm()


class _Destination(BaseModel):
    namespace: str


class _Spec(BaseModel):
    source: _Source
    destination: _Destination


class _Application(BaseModel):
    """The fields of an Argo CD Application that this program reads."""

    spec: _Spec


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """Manifests of the chart, each kind by name."""

    namespaces: Mapping[str, Manifest]
    projects: Mapping[str, Manifest]
    applications: Mapping[str, Manifest]

    def namespace_metadata(self, name: str) -> dict[str, Any]:
        """Return the metadata of a namespace; only its name if the chart does not define the namespace."""
        metadata = self.namespaces[name]["metadata"] if name in self.namespaces else {}
        return {"name": name, **{key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}}


def sort(rendered: Iterable[Manifest]) -> Manifests:
    """Sort rendered manifests by kind.

    Raises:
        ManifestError: A kind is unknown, or an Application does not have one source with structured values; all
            problems together.
    """
    kinds: dict[str, dict[str, Manifest]] = {"Namespace": {}, "AppProject": {}, "Application": {}}
    problems = Problems()
    for manifest in rendered:
        kind, name = manifest["kind"], manifest["metadata"].get("name")
        if kind not in kinds or not isinstance(name, str):
            problems.found.append(
                f"environments/templates: render to a {kind} ({name}), expected only {', '.join(kinds)} with a name"
            )
            continue
        if kind == "Application":
            with problems.collected():
                _check_source(name, manifest)
        kinds[kind][name] = manifest
    problems.report(ManifestError)
    return Manifests(
        namespaces=kinds["Namespace"],
        projects=kinds["AppProject"],
        applications=kinds["Application"],
    )


def _check_source(application: str, manifest: Manifest) -> None:
    where = f"environments/templates: Application {application}"
    validate(_Application, manifest, where)
    if "values" in manifest["spec"]["source"].get("helm", {}):
        # Argo CD ignores helm.values if valuesObject is set, which this program does.
        raise ManifestError(f"{where}: spec.source.helm.values: is not supported: use helm.valuesObject instead")
