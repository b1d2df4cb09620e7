"""The Kubernetes clusters of a platform, by name."""

from typing import Annotated

from pydantic import AfterValidator

from config.cluster import Cluster
from config.section import Matching

_TAKEN = frozenset({"nfs"})
"""Names of other resources of a stack whose servers could not be told from those of a cluster."""


def _check_free(name: str) -> str:
    if name in _TAKEN:
        raise ValueError("must not be that of another resource of the stack: choose another name")
    return name


ClusterName = Annotated[
    str,
    Matching(r"[a-z][a-z0-9]*", "lower-case letters and digits, beginning with a letter, such as blue", 20),
    AfterValidator(_check_free),
]
"""Name of a cluster in a stack: part of its name in Magnum, and without hyphens the first part of resources' names."""

Clusters = dict[ClusterName, Cluster]
"""Clusters by name."""
