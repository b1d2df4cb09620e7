"""What a stack requires of an OpenStack project, by quota; plain arithmetic without network access.

What Magnum's drivers create is counted from their sources: for Heat ``kubecluster.yaml``, ``kubemaster.yaml`` and
``lb_api.yaml`` of openstack/magnum (2026.1); for Cluster API ``cluster-openstack.yaml`` of capi-helm-charts and
``securitygroups_rules.go`` of cluster-api-provider-openstack. Volumes that applications request in the cluster are
counted if their charts declare them.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from config.cluster import Cluster
from config.ingress import PORTS
from config.stack_config import StackConfig
from phalanx.claims import Claim
from probes import backup_retention, cinder_backups, driver_classes

UNTYPED: Final = ""
"""Name of the volume type that the cloud chooses."""

_NFS_RULES: Final = 6
"""Rules of the NFS server's security group: NFS, and ``EGRESS`` of components/stateless_vm.py."""
_EGRESS_RULES: Final = 2
"""Rules of every new security group in Neutron: all egress with IPv4 and IPv6."""
_HEAT_RULES: Final = 14 + 9
"""Ingress rules of masters and workers with Heat."""
_CLUSTER_API_RULES: Final = 3 + 8
"""Ingress rules of control plane and workers with Cluster API."""
_OVN_RULES: Final = 2
"""Additional rules of capi-helm-charts for node ports if the load balancers' provider is OVN."""
_SURGE: Final = 1
"""Masters that Cluster API adds while it replaces them one after another (``controlPlane.rolloutStrategy`` of
capi-helm-charts). Workers are replaced without additional ones (``nodeGroupDefaults.rolloutStrategy``)."""


@dataclass(frozen=True, kw_only=True)
class Flavor:
    """Size of a Nova flavor."""

    vcpus: int
    """Number of virtual cores."""
    ram: int
    """Memory in MiB."""


@dataclass(frozen=True, kw_only=True)
class Volumes:
    """Cinder volumes of the same type and size."""

    type: str
    """Volume type, or `UNTYPED`."""
    size: int
    """Size of each in GiB."""
    count: int
    """Number of volumes."""


def needs(  # noqa: PLR0913  # all that determines the result
    config: StackConfig,
    flavors: Mapping[str, Flavor],
    *,
    claimed: Sequence[Volumes] = (),
    default_type: str = UNTYPED,
    share_types: Mapping[str, str] | None = None,
    switching: bool = False,
) -> dict[str, int | None]:
    """Return the quota that a stack requires, by resource, with node groups at their maximum size, during an upgrade.

    Args:
        config: The stack configuration.
        flavors: Sizes of flavors by name.
        claimed: Volumes of the applications' claims in all clusters, as far as they are known.
        default_type: Name of the cloud's default volume type, if it is known.
        share_types: Types of the shares by their name, as far as they are known; by default those of the configuration.
        switching: Whether ``ingress.mode`` changes: the new load balancer is created before the old one is deleted.

    Returns:
        Amounts by the name of the resource in `quota.RESOURCES`, and of ``volumes_TYPE`` and ``gigabytes_TYPE`` for
        each volume type, as in Cinder's API, likewise for share types. Cores and memory are None if the size of a
        flavor is not known.
    """
    own = config.ingress.mode == "octavia"
    # The workers behind each load balancer of ingress-nginx: each cloud controller creates one, this stack only one.
    workers = [_workers(each) for each in ([config.cluster] if own else config.clusters.values())]
    if switching:
        workers += [_workers(each) for each in (config.clusters.values() if own else [config.cluster])]
    return {
        "clusters": len(config.clusters),
        **_compute(config, flavors),
        **storage([*volumes(config, upgrading=True), *claimed], default_type),
        **_shares(config, share_types or {}),
        **_backups(config),
        **_network(config, ingresses=len(workers)),
        **_balancers(config, workers),
    }


def servers(config: StackConfig, *, at_maximum: bool = True, upgrading: bool = False) -> dict[str, int]:
    """Return the number of servers by flavor.

    Args:
        config: The stack configuration.
        at_maximum: Whether node groups have the maximum size of their autoscaling, instead of the initial one.
        upgrading: Whether to include what exists only during an upgrade.
    """
    found: Counter[str] = Counter([config.nfs.flavor] if config.nfs else [])
    for cluster in config.clusters.values():
        found[cluster.masters.flavor] += _masters(cluster, upgrading=upgrading)
        for group in cluster.groups.values():
            found[group.flavor] += group.max_count if at_maximum else group.count
    return dict(found)


def volumes(config: StackConfig, *, at_maximum: bool = True, upgrading: bool = False) -> list[Volumes]:
    """Return the volumes of the NFS server, and the root disks of servers that are volumes.

    Args:
        config: The stack configuration.
        at_maximum: As for `servers`.
        upgrading: As for `servers`.
    """
    found = [Volumes(type=each.type or UNTYPED, size=each.size, count=1) for each in config.nfs_volumes.values()]
    if config.nfs and (root := config.nfs.boot_volume):
        found.append(Volumes(type=root.type or UNTYPED, size=root.size, count=1))
    for cluster in config.clusters.values():
        masters = _masters(cluster, upgrading=upgrading)
        if boot := cluster.boot_volume:
            nodes = masters + (_workers(cluster) if at_maximum else cluster.node_count)
            found.append(Volumes(type=boot.type or UNTYPED, size=boot.size, count=nodes))
        found += _etcd_volumes(cluster, masters)
    return found


def of_claims(config: StackConfig, claims: Iterable[Claim]) -> list[Volumes]:
    """Return the volumes of the claims that have a size and a known StorageClass, in all clusters.

    Known are the stack's classes, and those that Magnum's driver makes for the same volume types.

    Args:
        config: The stack configuration.
        claims: Claims of the applications' charts, which each cluster has.
    """
    classes = config.applications.storage_classes
    types = {driver_classes.class_name(each.volume_type): each.volume_type for each in classes.values()}
    types |= {name: each.volume_type for name, each in classes.items()}
    found = []
    for claim in claims:
        name = config.applications.storage_class_of(claim.application, claim.storage_class)
        if name in types and claim.size is not None:
            count = claim.count * len(config.clusters)
            found.append(Volumes(type=types[name], size=claim.size, count=count))
    return found


def _etcd_volumes(cluster: Cluster, masters: int) -> list[Volumes]:
    """Return the volumes for etcd on the masters, by Magnum's labels; Cluster API has newer names for them."""
    labels: Mapping[str, str] = cluster.labels
    if cluster.driver == "capi":
        if labels.get("etcd_blockdevice_type") == "local":
            return []
        newer = {"etcd_volume_size": "etcd_blockdevice_size", "etcd_volume_type": "etcd_blockdevice_volume_type"}
        labels = {**labels, **{old: labels[new] for old, new in newer.items() if new in labels}}
    size = labels.get("etcd_volume_size", "")
    if not size.isdecimal() or not int(size):
        return []
    type_ = labels.get("etcd_volume_type") or UNTYPED
    return [Volumes(type=type_, size=int(size), count=masters)]


def _compute(config: StackConfig, flavors: Mapping[str, Flavor]) -> dict[str, int | None]:
    counts = servers(config, upgrading=True)
    sizes = [(flavors[name], count) for name, count in counts.items() if name in flavors]
    known = len(sizes) == len(counts)
    found: dict[str, int | None] = {
        "instances": sum(counts.values()),
        "cores": sum(flavor.vcpus * count for flavor, count in sizes) if known else None,
        "ram": sum(flavor.ram * count for flavor, count in sizes) if known else None,
    }
    # One for the masters, and one for each group of workers, with the default label nodes_affinity_policy.
    groups = [
        count
        for cluster in config.clusters.values()
        if cluster.driver == "heat"
        for count in (cluster.masters.count, *(group.max_count for group in cluster.groups.values()))
    ]
    if groups:
        found |= {"server_groups": len(groups), "server_group_members": max(groups)}
    return found


def storage(wanted: Sequence[Volumes], default_type: str) -> dict[str, int | None]:
    """Return what volumes require, in all and by type; those without a type are of the default type, if it is known."""
    found = _by_type([(each.type or default_type, each.size, each.count) for each in wanted], "volumes", "gigabytes")
    return {**found, "per_volume_gigabytes": max(each.size for each in wanted)} if wanted else {}


def _shares(config: StackConfig, types: Mapping[str, str]) -> dict[str, int | None]:
    shares = [(share.type or types.get(name, UNTYPED), share.size, 1) for name, share in config.shares.items()]
    return {**_by_type(shares, "shares", "share_gigabytes")}


def _by_type(wanted: Iterable[tuple[str, int, int]], number: str, gigabytes: str) -> Counter[str]:
    """Return number and total size, in all and for each type, of resources with a type, a size in GiB, and a count."""
    found: Counter[str] = Counter()
    for type_, size, count in wanted:
        for suffix in ("", f"_{type_}") if type_ else ("",):
            found[f"{number}{suffix}"] += count
            found[f"{gigabytes}{suffix}"] += count * size
    return found


def _backups(config: StackConfig) -> dict[str, int | None]:
    """Return the snapshots, or the backups with their size; that of claims is not known.

    Cinder also counts the size of snapshots as that of volumes, unless its option ``no_snapshot_gb_quota`` is set.
    """
    if config.backups.kind == "none":
        return {}
    names, each = cinder_backups.names(config), backup_retention.most(config.backups)
    if config.backups.kind == "snapshot":
        return {"snapshots": each * len(names)}
    sizes = [config.nfs_volumes[name].size for name in names if name in config.nfs_volumes]
    return {"backups": each * len(names), "backup_gigabytes": each * sum(sizes)}


def _network(config: StackConfig, ingresses: int) -> dict[str, int | None]:
    clusters = config.clusters.values()
    networks = 0 if config.network.adopt else 1
    balancers = sum(_api_balancers(cluster) for cluster in clusters) + ingresses
    cluster_api_rules = _CLUSTER_API_RULES + _OVN_RULES * (config.ingress.load_balancer_provider == "ovn")
    rules = sum(_HEAT_RULES if cluster.driver == "heat" else cluster_api_rules for cluster in clusters)
    return {
        "networks": networks,
        "subnets": networks,
        "routers": networks,
        # One per server and load balancer; of a new network those of its router and of DHCP (OVN: of metadata).
        "ports": sum(servers(config, upgrading=True).values()) + balancers + 2 * networks,
        # The NFS server's, and Magnum's two for masters and workers of a cluster.
        "security_groups": bool(config.nfs) + 2 * len(clusters),
        "security_group_rules": _NFS_RULES * bool(config.nfs) + rules + 2 * _EGRESS_RULES * len(clusters),
        "floating_ips": (config.ingress.floating_ip is None) + sum(cluster.public_api for cluster in clusters),
    }


def _balancers(config: StackConfig, workers: Sequence[int]) -> dict[str, int | None]:
    """Return the load balancers of the API and of ingress-nginx, with all of their parts.

    The latter have the same parts in each mode. Their members are the workers, whose number follows the autoscaler.

    Args:
        config: The stack configuration.
        workers: Number of workers behind each load balancer of ingress-nginx.
    """
    clusters = config.clusters.values()
    api = sum(_api_balancers(cluster) for cluster in clusters)
    listeners = api + len(workers) * len(PORTS)
    return {
        "load_balancers": api + len(workers),
        "listeners": listeners,
        "pools": listeners,
        # cluster-api-provider-openstack creates one for the API in any case.
        "health_monitors": listeners
        if config.ingress.health_monitors
        else sum(_api_balancers(cluster) for cluster in clusters if cluster.driver == "capi"),
        "members": sum(_api_balancers(cluster) * _masters(cluster, upgrading=True) for cluster in clusters)
        + len(PORTS) * sum(workers),
    }


def _masters(cluster: Cluster, *, upgrading: bool) -> int:
    """Return the number of masters; arguments as of `servers`."""
    return cluster.masters.count + _SURGE * (upgrading and cluster.driver == "capi")


def _workers(cluster: Cluster) -> int:
    """Return the number of workers, with all groups at the maximum of their autoscaling."""
    return cluster.max_nodes - cluster.masters.count


def _api_balancers(cluster: Cluster) -> int:
    """Return the number of load balancers that Magnum creates: the API's, and with Heat also etcd's."""
    return cluster.api_load_balancer * (2 if cluster.driver == "heat" else 1)
