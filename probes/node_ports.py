"""Whether the nodes' security groups admit the platform's clients, whose address OVN load balancers keep.

Cluster API's groups are made by the cloud's release of cluster-api-provider-openstack (``securitygroups_rules.go``): up
to 0.10 it opens NodePorts to all, since 0.11 to the nodes' subnet, from which amphorae connect. capi-helm-charts adds
rules for provider ovn in 0.24.0 to 0.25.1, and since 0.26.1; those of 0.26.0 have a misspelled key, and no effect.
"""

from collections.abc import Mapping
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING, Any, Final

from probes import magnum_api

if TYPE_CHECKING:
    from openstack.connection import Connection

REMEDY: Final = "docs/howto/load-balancer.md#a-load-balancer-that-does-not-answer"

_FIRST, _LAST = 30000, 32767
"""NodePorts of Kubernetes (https://kubernetes.io/docs/reference/networking/ports-and-protocols/)."""


def closed_group(connection: "Connection", cluster: str, network: IPv4Network) -> str | None:
    """Return the name of the workers' security group if no rule of the workers' groups admits clients to NodePorts.

    Args:
        connection: Connection to the project.
        cluster: Name or ID of the cluster in Magnum.
        network: Network of the nodes, in which no clients are.

    Returns:
        None if clients are admitted, or if the workers have no group of Cluster API.

    Raises:
        openstack.exceptions.SDKException: A service cannot be reached, or refuses the request.
    """
    found = magnum_api.cluster(connection, cluster) or {}
    suffix = f"-{found.get('stack_id')}-secgroup-worker"
    groups = {each.id: each for each in connection.network.security_groups()}
    worker = next((each for each in groups.values() if each.name.endswith(suffix)), None)
    if worker is None:
        return None
    # The cloud's administrators may have given the nodes further groups.
    used = {worker.id}
    for port in connection.network.ports(project_id=connection.current_project_id):
        if worker.id in port.security_group_ids:
            used.update(port.security_group_ids)
    rules = [rule for each in used & groups.keys() for rule in groups[each].security_group_rules]
    return None if any(_admits_clients(rule, network) for rule in rules) else str(worker.name)


def explain(group: str) -> str:
    """Return the reason why no client reaches the platform, with what to do.

    Args:
        group: Name of the security group, as by `closed_group`.
    """
    return (
        f"the security group {group} admits nobody outside of the nodes' network to TCP {_FIRST} to {_LAST}, so "
        "connections through an OVN load balancer, which keeps the client's address, time out: the cluster needs "
        f"another release of capi-helm-charts ({REMEDY})"
    )


def _admits_clients(rule: Mapping[str, Any], network: IPv4Network) -> bool:
    """Return whether a rule of Neutron's API admits connections from outside of the network to all NodePorts."""
    if rule["direction"] != "ingress" or rule["ethertype"] != "IPv4" or rule["protocol"] not in {None, "tcp", "6"}:
        return False
    first, last = rule["port_range_min"], rule["port_range_max"]
    if first is not None and not first <= _FIRST <= _LAST <= last:
        return False
    prefix = rule["remote_ip_prefix"]
    within = prefix is not None and IPv4Network(ip_network(prefix)).subnet_of(network)
    grouped = rule["remote_group_id"] or rule.get("remote_address_group_id")
    return not grouped and not within
