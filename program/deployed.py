"""What the last complete run has deployed, from the stack's outputs, which the engine keeps when a run fails."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pulumi

from program.duplicates import qualified_name


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What the last complete run has deployed."""

    active: str
    """Name of the cluster that served the platform; empty if there has been no such run."""
    commit: str
    """Commit of the Phalanx repository; empty if there has been no such run."""
    clusters: frozenset[str]
    """Names of the clusters."""
    installed: Mapping[str, frozenset[str]]
    """Names of the applications that have been healthy, by the ID of their cluster."""

    @property
    def installed_somewhere(self) -> frozenset[str]:
        """Names of the applications that have been healthy in any of the clusters."""
        return frozenset().union(*self.installed.values())

    def lacks(self, application: str, cluster_id: str) -> bool:
        """Return whether an application has not been healthy in a cluster yet."""
        return application not in self.installed.get(cluster_id, frozenset())

    def with_installed(self, cluster_id: str, enabled: Collection[str], healthy: Iterable[str]) -> list[str]:
        """Return the applications that have been healthy in a cluster, in alphabetical order.

        Args:
            cluster_id: ID of the cluster.
            enabled: The applications that the run has deployed. An application that was disabled in the meantime counts
                as new: its database may have been deleted, or be older than its chart.
            healthy: Those of them that the run has waited for, so that they are healthy.
        """
        return sorted((self.installed.get(cluster_id, frozenset()) & frozenset(enabled)).union(healthy))


def read() -> Deployed:
    """Read what the last complete run has deployed. Call this before any resource is registered.

    A preview and the update after it read the same, as only a complete run changes the outputs.
    """
    # What a StackReference calls, but without its copy of all outputs in the state.
    answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": qualified_name()}).value
    outputs = (answer or {}).get("outputs") or {}
    clusters: Mapping[str, Any] = outputs.get("clusters") or {}
    return Deployed(
        active=outputs.get("activeCluster") or "",
        commit=outputs.get("checkoutCommit") or "",
        clusters=frozenset(clusters),
        installed={str(each["id"]): frozenset(each["installed"]) for each in clusters.values()},
    )
