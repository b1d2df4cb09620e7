"""The Magnum drivers' rules match those of Magnum's Heat driver and of magnum-capi-helm."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.drivers.rsp_sandbox_drivers import helm_values, hyperkube, names, security_groups
from sandbox.drivers.rsp_sandbox_drivers.security_groups import MASTER, WORKER

STACK_ID = "f79cf9eb-cad7-46f1-941e-250bfbf836e2"
IDS = {MASTER: "masters", WORKER: "workers"}


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
    assert name != names.stack_name(cluster, f"{STACK_ID}-of-another-cluster", group)


@given(st.text(alphabet="abcXYZ019-_.", min_size=1, max_size=60))
def test_every_cluster_name_gives_servers_valid_host_names(cluster: str) -> None:
    stack = names.stack_name(cluster, STACK_ID)
    assert re.fullmatch(r"[a-z0-9-]{1,63}", f"{names.server_prefix(stack, 'worker')}999")


def test_server_names_distinguish_masters_from_other_roles() -> None:
    assert names.server_prefix("rsp-abc", "master") == "rsp-abc-master-"
    assert names.server_prefix("rsp-abc", "worker") == "rsp-abc-node-"
    assert names.server_prefix("rsp-abc", "gpu") == "rsp-abc-node-"


def test_security_groups_have_the_names_of_kubecluster_yaml() -> None:
    name = names.security_group_name("rsp-abc", STACK_ID, security_groups.HEAT_RESOURCES[WORKER])
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
        for rule in security_groups.heat_rules(IDS, "10.100.0.0/16")[MASTER]
    }
    assert rules == {
        ("icmp", None, None),
        *(("tcp", port, port) for port in (22, 53, 179, 7080, 8080, 2379, 2380, 6443, 9100, 10250)),
        ("tcp", 30000, 32767),
        ("udp", 53, 53),
        ("udp", 8472, 8472),
    }


def test_workers_open_only_ssh_and_node_ports_to_the_world() -> None:
    rules = security_groups.heat_rules(IDS, "10.100.0.0/16")[WORKER]
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
    wanted = security_groups.heat_rules(IDS, "10.100.0.0/16")[WORKER]
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


@pytest.mark.parametrize(
    ("provider", "open_to_all"),
    [("ovn", [("tcp", 30000, 32767), ("udp", 30000, 32767)]), ("amphora", [])],
)
def test_cluster_api_opens_the_api_and_for_ovn_node_ports(
    provider: str, open_to_all: list[tuple[str, int, int]]
) -> None:
    rules = security_groups.cluster_api_rules(IDS, provider)
    to_all = {
        role: [
            (rule["protocol"], rule["port_range_min"], rule["port_range_max"])
            for rule in every
            if "remote_group_id" not in rule
        ]
        for role, every in rules.items()
    }
    assert to_all == {MASTER: [("tcp", 6443, 6443)], WORKER: open_to_all}
    assert all({rule.get("remote_group_id") for rule in every} >= set(IDS.values()) for every in rules.values())


def test_labels_of_the_cluster_override_those_of_its_template() -> None:
    merged = helm_values.merged_labels({"octavia_provider": "ovn", "new": "x"}, {"octavia_provider": "amphora"})
    assert merged == {"octavia_provider": "amphora", "new": "x"}
    assert helm_values.merged_labels(None, None) == {}


def test_labels_have_the_defaults_of_magnum_capi_helm() -> None:
    assert helm_values.load_balancers({}) == helm_values.LoadBalancers("amphora", "ROUND_ROBIN", True)
    assert helm_values.load_balancers({"octavia_provider": "ovn", "octavia_lb_healthcheck": "False"}) == (
        helm_values.LoadBalancers("ovn", "SOURCE_IP_PORT", False)
    )
    assert helm_values.api({}) == helm_values.Api(floating_ip=True, allowed_cidrs=())


def test_each_volume_type_has_a_storage_class() -> None:
    labels = {"csi_cinder_availability_zone": "az-1", "csi_cinder_reclaim_policy": "Delete"}
    assert helm_values.storage_classes(labels, ["ceph-ssd", "__DEFAULT__"]) == [
        helm_values.StorageClass("ceph-ssd", "ceph-ssd", "az-1", "Delete", default=True),
        helm_values.StorageClass("default", "__DEFAULT__", "az-1", "Delete", default=False),
    ]
    (plain,) = helm_values.storage_classes({}, ["ceph-hdd"])
    assert (plain.availability_zone, plain.reclaim_policy) == ("nova", "Retain")


@pytest.mark.parametrize(("label", "expected"), [("false", False), ("no", False), ("true", True), ("nonsense", True)])
def test_the_api_has_a_floating_ip_unless_a_label_says_no(label: str, expected: bool) -> None:
    labels = {"master_lb_floating_ip_enabled": label, "api_master_lb_allowed_cidrs": "192.0.2.0/24, 10.0.0.0/8"}
    assert helm_values.api(labels) == helm_values.Api(expected, ("192.0.2.0/24", "10.0.0.0/8"))


@pytest.mark.parametrize(("given", "expected"), [("v1.36.3", "1.36.3"), ("1.36.3", "1.36.3")])
def test_the_release_is_the_images(given: str, expected: str) -> None:
    assert helm_values.kubernetes_version("id", given) == expected


def test_an_image_without_release_is_rejected() -> None:
    with pytest.raises(helm_values.RejectedError, match="Image 1f3a does not have a kube_version property"):
        helm_values.kubernetes_version("1f3a", None)


@pytest.mark.parametrize(("vcpus", "ram", "reason"), [(1, 4096, "enough CPU"), (4, 1024, "enough RAM")])
def test_a_small_flavor_is_rejected(vcpus: int, ram: int, reason: str) -> None:
    helm_values.check_flavor("m1.medium", 2, 2048)
    with pytest.raises(helm_values.RejectedError, match=f"Flavor tiny does not have {reason} to run Kubernetes"):
        helm_values.check_flavor("tiny", vcpus, ram)


def test_heat_fails_with_the_reason_of_the_image() -> None:
    assert "rancher/hyperkube:v1.36.3: manifest unknown; its tags end in" in hyperkube.failure({"kube_tag": "v1.36.3"})
    assert "has no docker.io/rancher/hyperkube:v1.23.3-rancher1" in hyperkube.failure({})
