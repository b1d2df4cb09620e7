"""Manifests of Phalanx's ``environments`` chart, sorted by kind."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from phalanx.charts import Manifest


class ManifestError(Exception):
    """The chart renders to a manifest that this program does not support."""


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
        ManifestError: A kind is unknown, or an Application does not have one source with structured values.
    """
    kinds: dict[str, dict[str, Manifest]] = {"Namespace": {}, "AppProject": {}, "Application": {}}
    for manifest in rendered:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind not in kinds:
            raise ManifestError(f"environments/: renders to a {kind} ({name}), expected only {', '.join(kinds)}")
        if kind == "Application":
            _check_source(name, manifest["spec"])
        kinds[kind][name] = manifest
    return Manifests(
        namespaces=kinds["Namespace"],
        projects=kinds["AppProject"],
        applications=kinds["Application"],
    )


def _check_source(application: str, spec: Manifest) -> None:
    if "source" not in spec:
        raise ManifestError(f"environments/: the Application {application} has no spec.source")
    if "values" in spec["source"].get("helm", {}):
        # Argo CD ignores helm.values if valuesObject is set, which this program does.
        raise ManifestError(
            f"environments/: the Application {application} sets helm.values: use helm.valuesObject instead"
        )
