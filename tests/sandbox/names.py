"""Names and IDs of OpenStack resources, to find duplicates."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from openstack.connection import Connection


def resources(tenant: Connection) -> Iterator[tuple[str, Any]]:
    """Yield kind and resource for all named resources of the project; floating IPs have a description instead.

    EC2 credentials have no names: a killed run may leave one that nothing uses, which `recover` reports.
    """
    project = tenant.current_project_id
    identity: Any = tenant.identity
    found = {
        "network": tenant.network.networks(project_id=project),
        "subnet": tenant.network.subnets(project_id=project),
        "router": tenant.network.routers(project_id=project),
        "port": (each for each in tenant.network.ports(project_id=project) if each.name),
        "group": tenant.network.security_groups(project_id=project),
        "server": tenant.compute.servers(),
        "volume": tenant.block_storage.volumes(),
        "cluster": tenant.container_infrastructure_management.clusters(),
        "template": tenant.container_infrastructure_management.cluster_templates(),
        "credential": identity.application_credentials(tenant.current_user_id),
        "balancer": tenant.load_balancer.load_balancers(),
        "address": tenant.network.ips(project_id=project),
    }
    return ((kind, each) for kind, listed in found.items() for each in listed)


def names(tenant: Connection) -> Counter[tuple[str, str]]:
    """Count the resources of the project by kind and name."""
    return Counter(
        (kind, str(each.description if kind == "address" else each.name)) for kind, each in resources(tenant)
    )


def identities(tenant: Connection) -> set[tuple[str, str]]:
    """Return kind and ID of all resources of the project."""
    return {(kind, str(each.id)) for kind, each in resources(tenant)}


def repeated(tenant: Connection) -> dict[tuple[str, str], int]:
    """Return the names that more than one resource has."""
    return {name: count for name, count in names(tenant).items() if count > 1}
