"""Names and security groups of the Magnum driver match Magnum's Heat driver and its templates."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.drivers.rsp_sandbox_drivers import names, security_groups

STACK_ID = "f79cf9eb-cad7-46f1-941e-250bfbf836e2"


@pytest.mark.parametrize(
    ("cluster", "group", "beginning"),
    [
        ("rsp", None, "rsp-"),
        ("RSP_roe.2026", None, "rsp-roe-2026-"),
        ("a" * 40, None, "a" * 30 + "-"),
        ("a" * 40, "notebooks-large", "a" * 20 + "-notebooks-"),
        ("café", None, "caf-"),
    ],
)
def test_stack_is_named_as_by_the_heat_driver(cluster: str, group: str | None, beginning: str) -> None:
    name = names.stack_name(cluster, STACK_ID, group)

    assert re.fullmatch(re.escape(beginning) + "[a-z2-7]{12}", name)


@given(st.text(alphabet="abcXYZ019-_.", min_size=1, max_size=60))
def test_every_cluster_name_gives_servers_valid_host_names(cluster: str) -> None:
    stack = names.stack_name(cluster, STACK_ID)

    assert re.fullmatch(r"[a-z0-9-]{1,63}", f"{names.server_prefix(stack, 'worker')}999")


def test_names_depend_on_the_stack_only() -> None:
    other = str(uuid.UUID(int=1))

    assert names.stack_name("rsp", STACK_ID) == names.stack_name("rsp", STACK_ID)
    assert names.stack_name("rsp", STACK_ID) != names.stack_name("rsp", other)


def test_server_names_distinguish_masters_from_other_roles() -> None:
    assert names.server_prefix("rsp-abc", "master") == "rsp-abc-master-"
    assert names.server_prefix("rsp-abc", "worker") == "rsp-abc-node-"
    assert names.server_prefix("rsp-abc", "gpu") == "rsp-abc-node-"


def test_security_groups_have_the_names_of_kubecluster_yaml() -> None:
    name = names.security_group_name("rsp-abc", STACK_ID, security_groups.WORKER)

    assert re.fullmatch("rsp-abc-secgroup_kube_minion-[a-z2-7]{12}", name)


@pytest.mark.parametrize(
    ("used", "expected"),
    [([], 0), ([0, 1, 2], 3), ([0, 2], 3), ([1], 2)],
)
def test_index_of_a_removed_server_is_not_used_again(used: list[int], expected: int) -> None:
    assert names.next_index(used) == expected


def test_master_rules_are_those_of_kubecluster_yaml() -> None:
    rules = {
        (rule["protocol"], rule.get("port_range_min"), rule.get("port_range_max"))
        for rule in security_groups.master_rules()
    }

    assert rules == {
        ("icmp", None, None),
        *(("tcp", port, port) for port in (22, 53, 179, 7080, 8080, 2379, 2380, 6443, 9100, 10250)),
        ("tcp", 30000, 32767),
        ("udp", 53, 53),
        ("udp", 8472, 8472),
    }


def test_workers_open_only_ssh_and_node_ports_to_the_world() -> None:
    rules = security_groups.worker_rules("masters", "workers", "10.100.0.0/16")

    to_all = [rule for rule in rules if "remote_group_id" not in rule and "remote_ip_prefix" not in rule]
    inside = {
        (rule["protocol"], rule.get("remote_group_id") or rule["remote_ip_prefix"])
        for rule in rules
        if rule not in to_all
    }
    assert [(rule["protocol"], rule.get("port_range_min"), rule.get("port_range_max")) for rule in to_all] == [
        ("icmp", None, None),
        ("tcp", 22, 22),
        ("tcp", 30000, 32767),
    ]
    assert inside == {(protocol, who) for protocol in ("tcp", "udp") for who in ("masters", "workers", "10.100.0.0/16")}


def test_only_missing_rules_are_created() -> None:
    wanted = security_groups.worker_rules("masters", "workers", "10.100.0.0/16")
    # Neutron returns all fields, stores "all ports" as none, and adds egress rules.
    standing = [
        {"remote_ip_prefix": None, "remote_group_id": None, **rule, "id": "x"}
        | ({"port_range_min": None, "port_range_max": None} if rule.get("port_range_max") == 65535 else {})
        for rule in wanted[1:]
    ]

    assert security_groups.missing(wanted, standing) == wanted[:1]
    assert security_groups.missing(wanted, []) == wanted


@pytest.mark.parametrize(
    ("driver", "labels", "expected"),
    [
        ("calico", {}, "10.100.0.0/16"),
        ("calico", {"calico_ipv4pool": "10.1.0.0/16", "flannel_network_cidr": "10.2.0.0/16"}, "10.1.0.0/16"),
        ("flannel", {"calico_ipv4pool": "10.1.0.0/16", "flannel_network_cidr": "10.2.0.0/16"}, "10.2.0.0/16"),
    ],
)
def test_pod_network_comes_from_the_network_drivers_label(driver: str, labels: dict[str, str], expected: str) -> None:
    assert security_groups.pod_cidr(driver, labels) == expected
