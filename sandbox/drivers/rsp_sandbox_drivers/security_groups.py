"""Security groups of a cluster's nodes, with the rules of Magnum's `kubecluster.yaml` (15.0, Zed)."""

from collections.abc import Iterator
from typing import Any

MASTER = "secgroup_kube_master"
WORKER = "secgroup_kube_minion"
DEFAULT_POD_CIDR = "10.100.0.0/16"

_MASTER_TCP_PORTS = (22, 53, 179, 7080, 8080, 2379, 2380, 6443, 9100, 10250)
_MASTER_UDP_PORTS = (53, 8472)
_NODE_PORTS = (30000, 32767)
_ALL_PORTS = (1, 65535)


def master_rules() -> list[dict[str, Any]]:
    """Return ingress rules for masters, as bodies for Neutron without `security_group_id`."""
    rules = [_ingress("icmp")]
    rules += [_ingress("tcp", (port, port)) for port in _MASTER_TCP_PORTS]
    rules += [_ingress("tcp", _NODE_PORTS)]
    rules += [_ingress("udp", (port, port)) for port in _MASTER_UDP_PORTS]
    return rules


def worker_rules(master_group: str, worker_group: str, pod_cidr: str) -> list[dict[str, Any]]:
    """Return ingress rules for workers.

    Args:
        master_group: Id of the masters' group, whose members can access all ports.
        worker_group: Id of the workers' group.
        pod_cidr: Pod addresses, which ML2/OVN sees without masquerading.
    """
    return [
        _ingress("icmp"),
        _ingress("tcp", (22, 22)),
        _ingress("tcp", _NODE_PORTS),
        *_tcp_and_udp(remote_group_id=master_group),
        *_tcp_and_udp(remote_group_id=worker_group),
        *_tcp_and_udp(remote_ip_prefix=pod_cidr),
    ]


def pod_cidr(network_driver: str | None, labels: dict[str, str]) -> str:
    """Return a cluster's Pod CIDR, from the label of its network driver."""
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


def _ingress(protocol: str, ports: tuple[int, int] | None = None, **remote: str) -> dict[str, Any]:
    rule: dict[str, Any] = {"direction": "ingress", "ethertype": "IPv4", "protocol": protocol, **remote}
    if ports:
        rule["port_range_min"], rule["port_range_max"] = ports
    return rule


def _tcp_and_udp(**remote: str) -> Iterator[dict[str, Any]]:
    for protocol in ("tcp", "udp"):
        yield _ingress(protocol, _ALL_PORTS, **remote)
