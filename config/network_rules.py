"""Rules between the networks of a platform: those of its nodes, pods and Services."""

from collections.abc import Iterator
from typing import Final

from config.cluster import Cluster
from config.clusters import Clusters
from config.ingress import Ingress
from config.network import SMALLEST_POOL, NetworkSettings
from config.nfs import Nfs
from config.section import first_overlap
from config.stack_file import KeyPath

_POD_PREFIX: Final = {"flannel": 24, "calico": 25}
"""Prefix length of a node's part of the pod network: flannel takes a /24; with Calico, the 110 pods of a node (kubelet,
``maxPods``) need 128 addresses in blocks of 64."""

LARGEST_SERVICE_PREFIX, SMALLEST_SERVICE_PREFIX = 12, 24
"""Prefix lengths of the Service network. The API server refuses networks of more than 20 bits
(``--service-cluster-ip-range``); Phalanx needs an address for each of its more than 100 Services."""


def fixed_address(network: NetworkSettings, nfs: Nfs | None) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the NFS server cannot have its address."""
    if nfs and (reason := network.refusal_of(nfs.address)):
        yield ("nfs", "address"), reason


def overlaps(network: NetworkSettings, clusters: Clusters) -> Iterator[tuple[KeyPath, str]]:
    """Yield the networks that overlap another one, and the name servers in such networks, which nodes could not reach.

    The networks of two clusters may be the same, as they only exist within each cluster.
    """
    for name, cluster in clusters.items():
        nodes, pods, services = (
            {"network.cidr": network.cidr},
            f"clusters.{name}.podCidr",
            f"clusters.{name}.serviceCidr",
        )
        if first_overlap(cluster.pods, nodes):
            reason = f"{cluster.pods} overlaps network.cidr {network.cidr}: choose another range"
            yield ("clusters", name, "podCidr"), reason
        taken = {**nodes, pods: cluster.pods}
        if other := first_overlap(cluster.services, taken):
            reason = f"{cluster.services} overlaps {other} {taken[other]}: choose another range"
            yield ("clusters", name, "serviceCidr"), reason
        for server in network.dns_nameservers:
            for key, inner in {pods: cluster.pods, services: cluster.services}.items():
                if server in inner:
                    reason = (
                        f"{server} is within {key} {inner}, where nodes cannot reach it: choose another name server"
                    )
                    yield ("network", "dnsNameservers"), reason


def allowed_clients(clusters: Clusters, ingress: Ingress) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the load balancer of a Kubernetes API cannot restrict its clients."""
    for name, cluster in clusters.items():
        if cluster.api_allowed_cidrs and ingress.load_balancer_provider == "ovn":
            way = "remove it, or set ingress.loadBalancerProvider to amphora"
            yield ("clusters", name, "apiAllowedCidrs"), f"OVN load balancers do not support allowed CIDRs: {way}"


def room_for_nodes(network: NetworkSettings, clusters: Clusters) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the subnet is too small for all nodes and for the ports that Neutron and Octavia create."""
    nodes = sum(cluster.max_nodes for cluster in clusters.values())
    needed = nodes + SMALLEST_POOL
    if needed > network.node_capacity:
        reason = (
            f"{network.cidr} has {network.node_capacity} addresses for nodes, but {needed} are needed: "
            f"{nodes} for nodes (autoscaling at its maximum), {SMALLEST_POOL} for load balancers and DHCP; "
            "choose a larger network, such as 10.20.0.0/22, or fewer nodes"
        )
        yield ("network", "cidr"), reason


def room_for_pods(clusters: Clusters) -> Iterator[tuple[KeyPath, str]]:
    """Yield conflicts if the networks of pods and Services are too small, or the latter is too large."""
    for name, cluster in clusters.items():
        yield from _room_for_pods(name, cluster)


def _room_for_pods(name: str, cluster: Cluster) -> Iterator[tuple[KeyPath, str]]:
    prefix = _POD_PREFIX[cluster.network_driver]
    capacity = 2 ** (prefix - cluster.pods.prefixlen) if cluster.pods.prefixlen <= prefix else 0
    if cluster.max_nodes > capacity:
        reason = (
            f"{cluster.pods} has room for the pods of {capacity} nodes (a /{prefix} for each with "
            f"{cluster.network_driver}), but the cluster has up to {cluster.max_nodes} nodes: choose a larger network, "
            "such as 10.100.0.0/16"
        )
        yield ("clusters", name, "podCidr"), reason
    if not LARGEST_SERVICE_PREFIX <= cluster.services.prefixlen <= SMALLEST_SERVICE_PREFIX:
        reason = (
            f"{cluster.services}: the prefix must be between /{LARGEST_SERVICE_PREFIX} and /{SMALLEST_SERVICE_PREFIX}, "
            "such as 10.254.0.0/16"
        )
        yield ("clusters", name, "serviceCidr"), reason
