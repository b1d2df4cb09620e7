"""What an environment takes of a project's quota: sums, without any network."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from config.stack_config import StackConfig


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """What one server of a flavor takes."""

    vcpus: int
    """Virtual cores."""
    ram: int
    """Memory in MiB."""


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """A quota and how much of it is taken."""

    limit: int
    """The most that the project may have; negative for no limit."""
    used: int
    """What it has now."""


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
}
"""What is counted, and how a person calls it."""


def needs(config: StackConfig, flavors: Mapping[str, Flavor]) -> dict[str, int]:
    """How much of each of `RESOURCES` the environment takes once it stands; with autoscaling, at its largest.

    Args:
        config: The stack configuration.
        flavors: By name, all flavors that it names and the cloud has; a flavor that is missing counts nothing.
    """
    cluster, vault = config.cluster, config.vault.deploy
    groups = (cluster.workers, *cluster.node_groups.values())
    volumes = [volume.size for volume in config.nfs.volumes.values()] + ([vault.volume.size] if vault else [])
    single = [config.nfs.flavor] + ([vault.flavor] if vault else [])
    servers = [
        *((flavor, 1) for flavor in single),
        (cluster.masters.flavor, cluster.masters.count),
        *((group.flavor, group.autoscaling.maximum if group.autoscaling else group.count) for group in groups),
    ]
    nodes = sum(count for _, count in servers) - len(single)
    boot_disks = (nodes, nodes * cluster.boot_volume.size) if cluster.boot_volume else (0, 0)
    networks = 0 if config.network.adopt else 1
    nothing = Flavor(vcpus=0, ram=0)
    return {
        "instances": len(single) + nodes,
        "cores": sum(flavors.get(flavor, nothing).vcpus * count for flavor, count in servers),
        "ram": sum(flavors.get(flavor, nothing).ram * count for flavor, count in servers),
        "volumes": len(volumes) + boot_disks[0],
        "gigabytes": sum(volumes) + boot_disks[1],
        "networks": networks,
        "subnets": networks,
        "routers": networks,
        # The single servers' own, and Magnum's for masters and workers.
        "security_groups": len(single) + 2,
        "floating_ips": 1 + cluster.public_api + bool(vault and vault.floating_ip),
    }


def shortages(needed: Mapping[str, int], allowances: Mapping[str, Allowance], *, first: bool) -> Iterator[str]:
    """What to ask the cloud's administrators for, one sentence for each quota that is too small.

    Args:
        needed: What the environment takes.
        allowances: The project's quotas, as far as they are known.
        first: Whether nothing of the stack exists yet: only then is all that it takes still to be had. Afterwards what
            it has itself is part of what is used, and the limit alone is compared.
    """
    for resource, amount in needed.items():
        allowance = allowances.get(resource)
        if allowance is None or allowance.limit < 0:
            continue
        available = allowance.limit - allowance.used if first else allowance.limit
        if amount > available:
            free = f"{available} of {allowance.limit} free" if first else f"the quota is {allowance.limit}"
            yield (
                f"{RESOURCES[resource]}: {amount} needed, {free}: ask the cloud's administrators for a quota of "
                f"{allowance.used + amount if first else amount}, or make the environment smaller"
            )
