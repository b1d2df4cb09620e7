from ipaddress import IPv4Network
from types import SimpleNamespace
from typing import Any

import pytest

from probes.health import load_balancer
from probes.health.finding import State
from probes.node_ports import closed_group
from tests.unit.probes.fake_project import answer

NETWORK = IPv4Network("10.20.0.0/22")
GROUP = "k8s-cluster-magnum-0a1b-rsp-test-cluster-x1y2-secgroup-worker"


def rule(**changes: Any) -> dict[str, Any]:
    given = {
        "direction": "ingress",
        "ethertype": "IPv4",
        "protocol": "tcp",
        "port_range_min": 30000,
        "port_range_max": 32767,
        "remote_ip_prefix": "0.0.0.0/0",
        "remote_group_id": None,
    }
    return {**given, **changes}


def cloud(*rules: dict[str, Any], name: str = GROUP, further: tuple[dict[str, Any], ...] = ()) -> Any:
    """Return a connection to a project whose worker has these rules in the group of its cluster, and further ones."""
    groups = [
        SimpleNamespace(id="worker", name=name, security_group_rules=list(rules)),
        SimpleNamespace(id="further", name="site", security_group_rules=list(further)),
        SimpleNamespace(id="unused", name="open", security_group_rules=[rule()]),
    ]
    ports = [
        SimpleNamespace(security_group_ids=["worker", "further"]),
        SimpleNamespace(security_group_ids=["unused"]),
    ]
    magnum = SimpleNamespace(get=lambda _, **__: answer({"stack_id": "rsp-test-cluster-x1y2"}))
    network = SimpleNamespace(security_groups=lambda: groups, ports=lambda **_: ports)
    return SimpleNamespace(container_infrastructure_management=magnum, network=network, current_project_id="0a1b")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"remote_ip_prefix": None},
        {"protocol": None, "port_range_min": None, "port_range_max": None},
        {"port_range_min": 1, "port_range_max": 65535},
        # The networks of a site's clients.
        {"remote_ip_prefix": "192.0.2.0/24"},
    ],
)
def test_rules_that_admit_clients(change: dict[str, Any]) -> None:
    assert closed_group(cloud(rule(**change)), "rsp-test-cluster", NETWORK) is None


@pytest.mark.parametrize(
    "change",
    [
        {"direction": "egress"},
        {"ethertype": "IPv6", "remote_ip_prefix": "::/0"},
        {"protocol": "udp"},
        {"port_range_max": 30100},
        # Those of cluster-api-provider-openstack since 0.11.
        {"remote_ip_prefix": "10.20.0.0/22"},
        {"remote_ip_prefix": None, "remote_group_id": "worker"},
        {"remote_ip_prefix": None, "remote_address_group_id": "monitoring"},
    ],
)
def test_rules_that_admit_no_clients(change: dict[str, Any]) -> None:
    closed = cloud(rule(**change))
    assert closed_group(closed, "rsp-test-cluster", NETWORK) == GROUP
    (found,) = load_balancer.node_ports(closed, "rsp-test-cluster", NETWORK)
    assert found.state is State.CRITICAL
    assert GROUP in found.message


def test_all_groups_of_the_workers_count() -> None:
    assert closed_group(cloud(further=(rule(),)), "rsp-test-cluster", NETWORK) is None


def test_groups_of_other_drivers_are_not_judged() -> None:
    (found,) = load_balancer.node_ports(cloud(name="secgroup_kube_minion"), "rsp-test-cluster", NETWORK)
    assert found.state is State.OK
