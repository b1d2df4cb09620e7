"""Quota that a stack requires; plain arithmetic without network access."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.stack_config import StackConfig


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """Size of a Nova flavor."""

    vcpus: int
    """Number of virtual cores."""
    ram: int
    """Memory in MiB."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """A quota of a project."""

    limit: int
    """Limit; negative if unlimited."""
    used: int
    """Present usage."""


RESOURCES: Mapping[str, str] = {
    "instances": "servers",
    "cores": "cores",
    "ram": "MiB of memory",
    "volumes": "volumes",
    "gigabytes": "GiB of volumes",
    "networks": "networks",
    "subnets": "subnets",
    "routers": "routers",
    "security_groups": "security groups",
    "floating_ips": "floating IPs",
    "load_balancers": "load balancers",
}
"""Names of the resources in error messages, by their name in OpenStack's quotas."""

KEYS: Mapping[str, str] = {
    **dict.fromkeys(("instances", "cores", "ram", "security_groups"), "cluster"),
    **dict.fromkeys(("volumes", "gigabytes"), "nfs.volumes"),
    **dict.fromkeys(("networks", "subnets", "routers"), "network"),
    **dict.fromkeys(("floating_ips", "load_balancers"), "cluster.publicApi"),
}
"""Keys in the configuration that determine most of what is required, by resource."""


def needs(config: StackConfig, flavors: Mapping[str, Flavor]) -> dict[str, int]:
    """Return the quota of each of `RESOURCES` that a stack requires, with node groups at their maximum size.

    Args:
        config: The stack configuration.
        flavors: The cloud's flavors by name; a flavor that does not exist counts as zero.
    """
    cluster = config.cluster
    groups = (cluster.workers, *cluster.node_groups.values())
    volumes = [volume.size for volume in config.nfs.volumes.values()]
    servers = [
        (config.nfs.flavor, 1),
        (cluster.masters.flavor, cluster.masters.count),
        *((group.flavor, group.autoscaling.maximum if group.autoscaling else group.count) for group in groups),
    ]
    nodes = sum(count for _, count in servers[1:])
    boot_disks = (nodes, nodes * cluster.boot_volume.size) if cluster.boot_volume else (0, 0)
    networks = 0 if config.network.adopt else 1
    nothing = Flavor(vcpus=0, ram=0)
    return {
        "instances": 1 + nodes,
        "cores": sum(flavors.get(flavor, nothing).vcpus * count for flavor, count in servers),
        "ram": sum(flavors.get(flavor, nothing).ram * count for flavor, count in servers),
        "volumes": len(volumes) + boot_disks[0],
        "gigabytes": sum(volumes) + boot_disks[1],
        "networks": networks,
        "subnets": networks,
        "routers": networks,
        # The NFS server's, and Magnum's two for masters and workers.
        "security_groups": 3,
        "floating_ips": 1 + cluster.public_api,
        # The ingress's and the API's; Heat's templates create one for etcd as well (kubecluster.yaml).
        "load_balancers": 1 + cluster.api_load_balancer * (2 if cluster.driver == "heat" else 1),
    }


def shortages(
    needed: Mapping[str, int], allowances: Mapping[str, Allowance], *, first: bool
) -> Iterator[tuple[str, str]]:
    """Yield the resource and a message for each quota that is too small.

    Args:
        needed: Quota that the stack requires.
        allowances: The project's quotas, as far as they are known.
        first: Whether no resources of the stack exist yet. Otherwise present usage includes them, and `needed` is
            compared with the limit only.
    """
    for resource, amount in needed.items():
        allowance = allowances.get(resource)
        if allowance is None or allowance.limit < 0:
            continue
        available = allowance.limit - allowance.used if first else allowance.limit
        if amount > available:
            free = f"{available} of {allowance.limit} free" if first else f"the quota is {allowance.limit}"
            required = allowance.used + amount if first else amount
            way = f"ask the cloud's administrators for a quota of {required}, or reduce the size of the stack"
            yield resource, f"{RESOURCES[resource]}: {amount} needed, {free}: {way}"
