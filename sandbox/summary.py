"""Tables that the commands print when they end."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from sandbox import paths
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube
from sandbox.pulumi_cli import Left

_APPLICATIONS = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
_SHORT_COMMIT = 12


def of(outputs: Mapping[str, Any], phases: Mapping[str, float]) -> Group:
    """Return the tables that `up` prints.

    Args:
        outputs: Stack outputs, with secret ones masked.
        phases: Duration of each phase in seconds.
    """
    tables: list[RenderableType] = ["", outputs_table(outputs)]
    if "clusterId" in outputs:
        cluster = ClusterDirectory(paths.CLUSTERS / outputs["clusterId"])
        tables += ["", applications_table(Kube(cluster.kubeconfig("admin")).list(_APPLICATIONS))]
    return Group(*tables, "", phases_table(phases))


def outputs_table(outputs: Mapping[str, Any]) -> Table:
    """Return a table of the stack outputs; mappings and lists are shown as JSON."""
    table = _table("Output", "Value")
    for name, value in outputs.items():
        table.add_row(name, escape(value if isinstance(value, str) else json.dumps(value)))
    return table


def applications_table(applications: Iterable[Mapping[str, Any]]) -> Table:
    """Return a table of Argo CD's Applications with revision and health."""
    table = _table("Application", "Revision", "Sync", "Health")
    for application in applications:
        status = application.get("status", {})
        sync, health = status.get("sync", {}), status.get("health", {}).get("status", "Unknown")
        table.add_row(
            application["metadata"]["name"],
            str(sync.get("revision", ""))[:_SHORT_COMMIT],
            sync.get("status", "Unknown"),
            f"[{'green' if health == 'Healthy' else 'red'}]{health}[/]",
        )
    return table


def phases_table(phases: Mapping[str, float]) -> Table:
    """Return a table of the phases' durations; some phases run concurrently."""
    table = _table("Phase")
    table.add_column("Seconds", justify="right")
    for name, seconds in phases.items():
        table.add_row(name, f"{seconds:.1f}")
    return table


def left_table(left: Iterable[Left]) -> Table:
    """Return a table of the resources that `destroy` did not delete, with the reason."""
    table = _table("Remaining resource", "Type", "Reason")
    for each in left:
        table.add_row(each.name, each.type, each.reason)
    return table


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, pad_edge=False, header_style="bold", title_justify="left", padding=(0, 2, 0, 0))
