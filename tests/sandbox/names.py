"""Names of OpenStack resources, to find duplicates."""

from collections import Counter
from typing import Any

from openstack.connection import Connection


def names(tenant: Connection) -> Counter[tuple[str, str]]:
    """Count the resources of the project by kind and name; floating IPs are counted by description.

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
    }
    counts = Counter((kind, str(each.name)) for kind, listed in found.items() for each in listed)
    counts.update(("address", str(each.description)) for each in tenant.network.ips(project_id=project))
    return counts


def repeated(tenant: Connection) -> dict[tuple[str, str], int]:
    """Return the names that more than one resource has."""
    return {name: count for name, count in names(tenant).items() if count > 1}
