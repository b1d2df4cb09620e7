"""Which applications are installed for the first time, as the stack's own outputs say.

The outputs are those of the last run that has deployed all applications: the engine keeps them when a run fails. So an
application is installed for the first time until it has been synced and healthy once, in its cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from phalanx.application import Application
from program.duplicates import qualified_name
from wiring.first_installation import UPDATE_SCHEMA, has_toggle


@dataclass(frozen=True, kw_only=True)
class Deployed:
    """What the last complete run has deployed."""

    clusters: frozenset[str] = field(default_factory=frozenset)
    """IDs of the clusters; empty if there has been no such run."""
    applications: frozenset[str] = field(default_factory=frozenset)
    """Names of the applications."""


def read() -> Deployed:
    """Read what the last complete run has deployed. Call this before any resource is registered.

    A preview and the update after it read the same, as only a complete run changes the outputs.
    """
    # What a StackReference calls, but without its copy of all outputs in the state.
    answer = pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": qualified_name()}).value
    outputs = (answer or {}).get("outputs") or {}
    # Stacks that had one cluster only have no output of all.
    clusters = {str(each["id"]) for each in (outputs.get("clusters") or {}).values()}
    clusters |= {str(outputs["clusterId"])} if outputs.get("clusterId") else set()
    return Deployed(clusters=frozenset(clusters), applications=frozenset(outputs.get("applications") or ()))


def report(applications: Mapping[str, Application], deployed: Deployed) -> None:
    """Warn of each application that will be installed for the first time with the values of the repository alone.

    Args:
        applications: The applications.
        deployed: What the last complete run has deployed.
    """
    for name, application in applications.items():
        if name not in deployed.applications and has_toggle(application.values):
            pulumi.warn(
                f"{application.file_of(*UPDATE_SCHEMA)}: {'.'.join(UPDATE_SCHEMA)}: is false, but the first "
                f"installation of {name} creates the schema of its database, expected true: set it, as "
                "rsp:applications.wiring is verify, and remove it when the application is healthy"
            )


def of(
    applications: Mapping[str, Mapping[str, Any]], deployed: Deployed, cluster_id: pulumi.Output[str]
) -> dict[str, pulumi.Input[bool]]:
    """Return for each application that `has_toggle` whether it is installed for the first time.

    Args:
        applications: Merged Helm values by application.
        deployed: What the last complete run has deployed.
        cluster_id: ID of the cluster; unknown in a preview that would replace it, and with it the databases.
    """
    in_other_cluster = cluster_id.apply(lambda present: present not in deployed.clusters)
    return {
        name: in_other_cluster if name in deployed.applications else True
        for name, values in applications.items()
        if has_toggle(values)
    }
