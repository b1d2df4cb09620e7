"""The manifests that Phalanx's ``environments`` chart renders to, sorted by what becomes of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from phalanx.charts import Manifest


class ManifestError(Exception):
    """The chart renders to something that this program has no place for."""


@dataclass(frozen=True, kw_only=True)
class Manifests:
    """What the chart renders to, each kind by the object's name."""

    namespaces: Mapping[str, Manifest]
    projects: Mapping[str, Manifest]
    applications: Mapping[str, Manifest]

    def namespace_metadata(self, name: str) -> dict[str, Any]:
        """Return the metadata of a namespace; only its name if the chart leaves it to whoever installs Argo CD."""
        metadata = self.namespaces[name]["metadata"] if name in self.namespaces else {}
        return {"name": name, **{key: metadata[key] for key in ("labels", "annotations") if metadata.get(key)}}


def sort(rendered: Iterable[Manifest]) -> Manifests:
    """Sort rendered manifests by kind.

    Raises:
        ManifestError: If there is a kind that Phalanx's chart never had, or an Application whose source is not one
            chart with structured values.
    """
    kinds: dict[str, dict[str, Manifest]] = {"Namespace": {}, "AppProject": {}, "Application": {}}
    for manifest in rendered:
        kind, name = manifest["kind"], manifest["metadata"]["name"]
        if kind not in kinds:
            raise ManifestError(f"environments/: renders to a {kind} ({name}); known are {', '.join(kinds)}")
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
        raise ManifestError(f"environments/: the Application {application} has no single spec.source")
    if "values" in spec["source"].get("helm", {}):
        # Argo CD takes valuesObject, where facts go, and leaves values alone when there are both.
        raise ManifestError(f"environments/: the Application {application} has helm.values; it needs valuesObject")
