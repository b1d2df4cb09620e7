"""PersistentVolumeClaims in the manifests of applications."""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from phalanx.charts import Manifest, RenderedApplication

_QUANTITY: Final = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(?:([KMGTPE]i|[mkMGTPE])|[eE]([+-]?\d{1,2}))?")
"""A quantity (``pkg/api/resource/quantity.go`` of k8s.io/apimachinery): a number with a suffix or an exponent."""
_SUFFIXES: Final = {
    **{f"{letter}i": Decimal(1024) ** power for power, letter in enumerate("KMGTPE", 1)},
    **{letter: Decimal(1000) ** power for power, letter in enumerate("kMGTPE", 1)},
    "m": Decimal("0.001"),
}
_GIB: Final = _SUFFIXES["Gi"]

_KEPT_BY: Final = ("argocd.argoproj.io/sync-options", "helm.sh/resource-policy")
"""Annotations with which a chart decides itself whether Argo CD deletes an object."""
_HOOKS: Final = ("argocd.argoproj.io/hook", "helm.sh/hook")
"""Annotations of an object that exists during a sync only."""


@dataclass(frozen=True, kw_only=True)
class Claim:
    """A PersistentVolumeClaim that a chart declares, or the claims of a StatefulSet's template."""

    application: str
    namespace: str
    name: str
    """Name of the claim; of the claims of a template the part before the ordinal."""
    storage_class: str | None
    """StorageClass; None for the cluster's default."""
    size: int | None
    """Size of each in GiB, rounded up as by Cinder CSI; None if the manifest has no valid one."""
    count: int = 1
    """Number of claims."""
    template: bool = False
    """Whether a StatefulSet creates the claims, which Argo CD then leaves alone."""
    decided: bool = False
    """Whether the chart itself sets whether Argo CD deletes the claim."""

    @property
    def deletable(self) -> bool:
        """Whether Argo CD deletes the claim with its Application, or when the chart no longer contains it."""
        return not self.template and not self.decided


def find(application: RenderedApplication) -> Iterator[Claim]:
    """Yield the claims of an application's charts in the checkout.

    Args:
        application: The rendered application. Claims that operators create are not in its manifests.
    """
    for manifest in application.manifests:
        metadata, spec = manifest["metadata"], _mapping(manifest.get("spec"))
        namespace = str(metadata.get("namespace") or application.namespace)
        if manifest["kind"] == "PersistentVolumeClaim":
            annotations = _mapping(metadata.get("annotations"))
            if annotations.keys().isdisjoint(_HOOKS):
                storage_class, size = _request(spec)
                yield Claim(
                    application=application.name,
                    namespace=namespace,
                    name=str(metadata.get("name")),
                    storage_class=storage_class,
                    size=size,
                    decided=not annotations.keys().isdisjoint(_KEPT_BY),
                )
        elif manifest["kind"] == "StatefulSet":
            replicas, templates = spec.get("replicas"), spec.get("volumeClaimTemplates")
            for template in templates if isinstance(templates, list) else ():
                storage_class, size = _request(_mapping(_mapping(template).get("spec")))
                yield Claim(
                    application=application.name,
                    namespace=namespace,
                    name=f"{_mapping(_mapping(template).get('metadata')).get('name')}-{metadata.get('name')}",
                    storage_class=storage_class,
                    size=size,
                    count=replicas if isinstance(replicas, int) else 1,
                    template=True,
                )


def by_name(claims: Iterable[Claim]) -> Iterator[tuple[str, Claim]]:
    """Yield each claim with NAMESPACE/NAME, those of a template with their ordinals."""
    for each in claims:
        names = [f"{each.name}-{ordinal}" for ordinal in range(each.count)] if each.template else [each.name]
        for name in names:
            yield f"{each.namespace}/{name}", each


def _request(spec: Manifest) -> tuple[str | None, int | None]:
    """Return class and size of the volume that a claim requests."""
    storage_class, requests = spec.get("storageClassName"), _mapping(_mapping(spec.get("resources")).get("requests"))
    return None if storage_class is None else str(storage_class), _gib(str(requests.get("storage")))


def _gib(quantity: str) -> int | None:
    found = _QUANTITY.fullmatch(quantity)
    if not found:
        return None
    number, suffix, exponent = found.groups()
    return math.ceil(Decimal(number) * _SUFFIXES.get(suffix, Decimal(1)) * Decimal(10) ** int(exponent or 0) / _GIB)


def _mapping(value: Any) -> Manifest:
    return value if isinstance(value, dict) else {}
