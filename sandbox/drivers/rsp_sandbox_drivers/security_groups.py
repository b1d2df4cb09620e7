"""Security groups of a cluster's nodes, as Magnum's two drivers create them."""

from collections.abc import Iterator
from typing import Any

MASTER = "master"
WORKER = "worker"
HEAT_RESOURCES = {MASTER: "secgroup_kube_master", WORKER: "secgroup_kube_minion"}
"""Names of the security groups in Magnum's `kubecluster.yaml`."""
CLUSTER_API_SUFFIXES = {MASTER: "secgroup-controlplane", WORKER: "secgroup-worker"}
"""Last part of the names by cluster-api-provider-openstack: `k8s-cluster-<namespace>-<cluster>-<suffix>`."""
DEFAULT_POD_CIDR = "10.100.0.0/16"
API_PORT = 6443

_MASTER_TCP_PORTS = (22, 53, 179, 7080, 8080, 2379, 2380, API_PORT, 9100, 10250)
_MASTER_UDP_PORTS = (53, 8472)
_NODE_PORTS = (30000, 32767)
_ALL_PORTS = (1, 65535)


def cluster_api_rules(ids: dict[str, str], load_balancer_provider: str) -> dict[str, list[dict[str, Any]]]:
    """Return ingress rules with Cluster API, as bodies for Neutron without `security_group_id`.

    Sources: `managedSecurityGroups` of cluster-api-provider-openstack with `allowAllInClusterTraffic`, and
    `openstack-cluster.workerNodesSecurityGroupRules` of capi-helm-charts.

    Args:
        ids: Ids of the groups of masters and workers, whose members have access to all ports.
        load_balancer_provider: With ovn, which keeps clients' addresses, node ports are open to all.
    """
    inside = [_ingress(None, remote_group_id=group) for group in ids.values()]
    node_ports = [_ingress(protocol, _NODE_PORTS, remote_ip_prefix="0.0.0.0/0") for protocol in ("tcp", "udp")]
    return {
        MASTER: [*inside, _ingress("tcp", (API_PORT, API_PORT))],
        WORKER: [*inside, *(node_ports if load_balancer_provider == "ovn" else [])],
    }


def heat_rules(ids: dict[str, str], pod_cidr: str) -> dict[str, list[dict[str, Any]]]:
    """Return ingress rules with Heat, by Magnum's `kubecluster.yaml` (15.0, Zed).

    Args:
        ids: Ids of the groups of masters and workers.
        pod_cidr: Pod addresses, which ML2/OVN sees without masquerading.
    """
    return {
        MASTER: [
            _ingress("icmp"),
            *(_ingress("tcp", (port, port)) for port in _MASTER_TCP_PORTS),
            _ingress("tcp", _NODE_PORTS),
            *(_ingress("udp", (port, port)) for port in _MASTER_UDP_PORTS),
        ],
        WORKER: [
            _ingress("icmp"),
            _ingress("tcp", (22, 22)),
            _ingress("tcp", _NODE_PORTS),
            *_tcp_and_udp(remote_group_id=ids[MASTER]),
            *_tcp_and_udp(remote_group_id=ids[WORKER]),
            *_tcp_and_udp(remote_ip_prefix=pod_cidr),
        ],
    }


def pod_cidr(network_driver: str | None, labels: dict[str, str]) -> str:
    """Return a Heat cluster's Pod CIDR, from the label of its network driver."""
    label = "flannel_network_cidr" if network_driver == "flannel" else "calico_ipv4pool"
    return labels.get(label) or DEFAULT_POD_CIDR


def missing(wanted: list[dict[str, Any]], standing: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the wanted rules that do not exist; Neutron rejects a list that contains an existing rule."""
    there = {_identity(rule) for rule in standing}
    return [rule for rule in wanted if _identity(rule) not in there]


def _identity(rule: dict[str, Any]) -> tuple[Any, ...]:
    """Return what identifies a rule in a group for Neutron, which stores the full port range as none."""
    ports = (rule.get("port_range_min"), rule.get("port_range_max"))
    fields = ("direction", "ethertype", "protocol", "remote_group_id", "remote_ip_prefix")
    return (*map(rule.get, fields), None if ports in {_ALL_PORTS, (None, None)} else ports)


def _ingress(protocol: str | None, ports: tuple[int, int] | None = None, **remote: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"direction": "ingress", "ethertype": "IPv4", "protocol": protocol, **remote}
    if ports:
        rule["port_range_min"], rule["port_range_max"] = ports
    return rule


def _tcp_and_udp(**remote: str) -> Iterator[dict[str, Any]]:
    for protocol in ("tcp", "udp"):
        yield _ingress(protocol, _ALL_PORTS, **remote)
