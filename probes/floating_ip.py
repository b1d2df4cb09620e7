"""Whether the platform can get an existing floating IP."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from config.names import cloud_name
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection

WHERE = "rsp:ingress.floatingIp"


def problems(connection: "Connection", address: IPv4Address, external_network: str, stack: str) -> Iterator[Problem]:
    """Yield the reasons why the load balancer of ingress-nginx cannot get a floating IP.

    Args:
        connection: Connection to the stack's project.
        address: The address.
        external_network: Name of the external network of the stack.
        stack: Name of the stack.
    """
    ours = {each.floating_ip_address: each for each in connection.network.ips(project_id=connection.current_project_id)}
    if (found := ours.get(str(address))) is None:
        existing = ", ".join(sorted(ours)) or "none"
        yield Problem(where=WHERE, what=f"the project has no floating IP {address}; it has: {existing}")
        return
    network = next(iter(connection.network.networks(name=external_network)), None)
    if network and found.floating_network_id != network.id:
        yield Problem(
            where=WHERE,
            what=f"{address} is not in the network `{external_network}`: change rsp:network.externalNetwork to its "
            f"network ({found.floating_network_id}), or choose another address",
        )
    if user := _other_user(connection, found.port_id, stack):
        yield Problem(
            where=WHERE,
            what=f"{address} is in use by {user}: at the time of the move, release it with "
            f"`openstack floating ip unset --port {address}`",
        )
    if "Kubernetes" in (found.description or ""):
        yield Problem(
            where=WHERE,
            what=f"the description of {address} is that of a cluster's own address ({found.description}), which may be "
            "deleted with that cluster: run `openstack floating ip set --description "
            f"'Rubin Science Platform ({stack})' {address}`",
            fatal=False,
        )


def _other_user(connection: "Connection", port_id: str | None, stack: str) -> str:
    """Return what uses a port of a floating IP; empty if nothing does, or the stack's own load balancer."""
    if not port_id:
        return ""
    octavia: Any = connection.load_balancer
    balancer = next(iter(octavia.load_balancers(vip_port_id=port_id)), None)
    if balancer is None:
        return f"the port {port_id}"
    clusters = connection.container_infrastructure_management.clusters()
    own_clusters = [each for each in clusters if each.name.startswith(cloud_name(stack, ""))]
    # The cloud controller knows the cluster by its ID with Heat, by its name in Cluster API otherwise.
    names = [f"kube_service_{known}_" for each in own_clusters for known in (each.uuid, each.stack_id)]
    own = balancer.name.startswith((cloud_name(stack, ""), *names))
    return "" if own else f"the load balancer `{balancer.name}`"
