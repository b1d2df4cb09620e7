"""Whether the platform's address can move to the active cluster, by what Magnum and Octavia report."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.names import cloud_name
from config.stack_config import StackConfig
from probes import floating_ip
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection

_NOT_DEPLOYED = ("CREATE_IN_PROGRESS", "CREATE_FAILED", "DELETE_")
"""Beginnings of the statuses of a cluster that was never complete, or is being deleted."""

_GUIDE = "docs/runbooks/blue-green.md"


def problems(
    connection: "Connection", config: StackConfig, stack: str, existing: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield the reasons from OpenStack why users would lose the platform by a change of the clusters.

    Args:
        connection: Connection to the stack's project.
        config: The stack configuration.
        stack: Name of the stack.
        existing: The configured clusters in Magnum by name; None for one that does not exist.
    """
    address = floating_ip.of_platform(connection, config, stack)
    if address is None or not address.port_id:
        return
    deployed = {name for name, each in existing.items() if each and not each.status.startswith(_NOT_DEPLOYED)}
    if config.active not in deployed and deployed:
        (other,) = deployed
        what = (
            f"{config.active} is not deployed yet: set it to {other}, deploy {config.active} beside it, and switch "
            f"when all of its applications are healthy ({_GUIDE})"
        )
        yield Problem(where="rsp:activeCluster", what=what)
    serving = floating_ip.cluster_at_port(connection, address.port_id, stack)
    name = serving.removeprefix(cloud_name(stack, "")) if serving else None
    if name and name not in config.clusters:
        what = (
            f"the cluster {name} has the platform's address {address.floating_ip_address}, but is not in rsp:clusters: "
            f"put it back, switch to another cluster with rsp:activeCluster, and then remove it ({_GUIDE})"
        )
        yield Problem(where="rsp:clusters", what=what)
