"""The platform's floating IP: whether an existing one can be used, and which cluster has it."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from config.names import LOAD_BALANCER, cloud_name, ingress_description
from config.stack_config import StackConfig
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
    balancer = load_balancer(connection, port_id)
    if balancer is None:
        return f"the port {port_id}"
    own = balancer.name == cloud_name(stack, LOAD_BALANCER) or _cluster_of(connection, balancer, stack)
    return "" if own else f"the load balancer `{balancer.name}`"


def of_platform(connection: "Connection", config: StackConfig, stack: str) -> Any | None:
    """Return the floating IP of a platform, as by openstacksdk; None if it does not exist.

    Args:
        connection: Connection to the stack's project.
        config: The stack configuration.
        stack: Name of the stack.
    """
    existing = config.ingress.floating_ip
    query = {"floating_ip_address": str(existing)} if existing else {"description": ingress_description(stack)}
    return next(iter(connection.network.ips(**query)), None)


def cluster_at_address(connection: "Connection", address: str, stack: str) -> str | None:
    """Return the name in Magnum of the stack's cluster whose cloud controller has a floating IP; None if none has it.

    Args:
        connection: Connection to the stack's project.
        address: The floating IP.
        stack: Name of the stack.
    """
    return cluster_at_port(connection, port_of(connection, address), stack)


def cluster_at_port(connection: "Connection", port_id: str | None, stack: str) -> str | None:
    """Return the name in Magnum of the stack's cluster whose cloud controller has a port; None if none has it.

    Args:
        connection: Connection to the stack's project.
        port_id: ID of the port of a floating IP; None if the address has no port.
        stack: Name of the stack.
    """
    balancer = load_balancer(connection, port_id)
    return _cluster_of(connection, balancer, stack) if balancer else None


def port_of(connection: "Connection", address: str) -> str | None:
    """Return the ID of the port that has a floating IP; None if none has it."""
    return next((each.port_id for each in connection.network.ips(floating_ip_address=address)), None)


def load_balancer(connection: "Connection", port_id: str | None) -> Any | None:
    """Return the load balancer with a port, as by openstacksdk; None if there is none."""
    octavia: Any = connection.load_balancer
    return next(iter(octavia.load_balancers(vip_port_id=port_id)), None) if port_id else None


def _cluster_of(connection: "Connection", balancer: Any, stack: str) -> str | None:
    """Return the name of the stack's cluster whose cloud controller created a load balancer, if one did."""
    for each in connection.container_infrastructure_management.clusters():
        # The cloud controller knows the cluster by its ID with Heat, by its name in Cluster API otherwise.
        services = tuple(f"kube_service_{known}_" for known in (each.uuid, each.stack_id))
        # Names of clusters have no hyphen, unlike those of stacks: STACK-other has its own.
        ours = each.name == cloud_name(stack, each.name.rpartition("-")[2])
        if ours and balancer.name.startswith(services):
            return str(each.name)
    return None
