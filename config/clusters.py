"""The Kubernetes clusters of a platform: one, or two of which the active one serves the platform."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import AfterValidator

from config.applications import ApplicationsSettings, WiringMode
from config.cluster import Cluster
from config.section import Matching
from config.stack_file import KeyPath

_TAKEN = frozenset({"created", "dns", "ingress", "load", "network", "nfs", "object", "secrets", "share"})
"""First parts of the names of a stack's other resources, which could not be distinguished from those of a cluster."""


def _check_free(name: str) -> str:
    if name in _TAKEN:
        raise ValueError("must not be that of another resource of the stack: choose another name")
    return name


ClusterName = Annotated[
    str,
    Matching(r"[a-z][a-z0-9]*", "lower-case letters and digits, beginning with a letter, such as blue", 20),
    AfterValidator(_check_free),
]
"""Name of a cluster in a stack: part of its name in Magnum, and the first part of the names of its resources, so
without hyphens."""

Clusters = dict[ClusterName, Cluster]
"""Clusters by name."""


def one_active(clusters: Clusters, active_cluster: str | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict unless exactly one cluster is the active one."""
    if active_cluster is None and len(clusters) > 1:
        reason = f"is required with two clusters: set it to the one that serves the platform, {' or '.join(clusters)}"
        yield ("activeCluster",), reason
    if active_cluster is not None and active_cluster not in clusters:
        reason = (
            f"{active_cluster} is not in clusters: set it to {' or '.join(clusters)}; to remove the active cluster, "
            "switch to the other one first"
        )
        yield ("activeCluster",), reason


def different_volumes(clusters: Clusters) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if two claims would get the same Cinder volume, which one node can attach."""
    claims: dict[str, str] = {}
    for name, cluster in clusters.items():
        for claim, volume in cluster.claims.items():
            own = f"clusters.{name}.claims.{claim}"
            if (other := claims.setdefault(volume, own)) != own:
                reason = f"{volume} is also the volume of {other}: remove it there; its PersistentVolume remains"
                yield ("clusters", name, "claims", claim), reason


def different_values(clusters: Clusters, applications: ApplicationsSettings) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if two clusters would get the same values for ingress-nginx, and so claim the same address."""
    if len(clusters) > 1 and applications.wiring is WiringMode.VERIFY:
        reason = (
            "verify does not support two clusters, as both would get the repository's values of ingress-nginx, and "
            "with them the same address: set it to apply for the time of the switch"
        )
        yield ("applications", "wiring"), reason
