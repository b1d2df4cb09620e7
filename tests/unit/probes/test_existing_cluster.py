from types import SimpleNamespace
from typing import Any

import pytest

from probes import existing_cluster
from tests.unit.probes import recorded_magnum
from tests.unit.sample import environment

HEAT: dict[str, Any] = {
    "cluster__driver": "heat",
    "cluster__kubernetesVersion": "v1.28.9-rancher1",
    "cluster__image": "fedora-coreos-38",
}
BOUNDS = {"minimum": 1, "maximum": 5}
AMPHORA = {"loadBalancerProvider": "amphora"}
VARIANTS: list[dict[str, Any]] = [
    {},
    HEAT,
    {**HEAT, "cluster__networkDriver": "flannel"},
    {"cluster__workers__autoscaling": BOUNDS},
    {"cluster__nodeGroups__labs__autoscaling": BOUNDS},
    {"cluster__bootVolume": {"size": 40, "type": "ceph-ssd"}, "cloud__keypair": None},
    {"cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA},
    {**HEAT, "cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA},
    {"cluster__labels": {"etcd_blockdevice_size": "10"}},
]


def refusals(before: dict[str, Any], after: dict[str, Any], **cluster: Any) -> list[str]:
    """Return the problems of a changed configuration with the cluster that was created before."""
    was = environment(**before)
    names = {"flavor-uuid": "m1.medium"}
    found = recorded_magnum.cluster(was, **cluster)
    return [
        str(each)
        for each in existing_cluster.problems(environment(**after), found, recorded_magnum.template(was), names)
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_unchanged_configuration_is_accepted(variant: dict[str, Any]) -> None:
    assert refusals(variant, variant) == []


@pytest.mark.parametrize("driver", [{}, HEAT])
@pytest.mark.parametrize(
    ("path", "value", "current"),
    [
        ("cluster.workers.flavor", "m1.large", "m1.medium"),
        ("cluster.masters.flavor", "m1.large", "m1.medium"),
        ("cluster.masters.count", 5, "3"),
        ("cloud.keypair", "others", "operators"),
        ("cloud.keypair", None, "operators"),
        ("cluster.publicApi", False, "true"),
        ("cluster.autohealing", False, "true"),
        ("ingress.healthMonitors", True, "false"),
    ],
)
def test_a_value_that_magnum_cannot_change_is_refused(
    driver: dict[str, Any], path: str, value: object, current: str
) -> None:
    (refusal,) = refusals(driver, {**driver, path.replace(".", "__"): value})
    wanted = "not set" if value is None else f"`{str(value).lower()}`"
    assert refusal.startswith(
        f"rsp:{path}: is {wanted}, but the cluster `rsp-test-cluster` was created with `{current}`, which Magnum "
        "cannot change: set it back, "
    )


@pytest.mark.parametrize(
    ("change", "paths"),
    [
        ({"cluster__kubernetesVersion": "v1.27.8-rancher2"}, ["cluster.kubernetesVersion"]),
        ({"cluster__image": "fedora-coreos-39"}, ["cluster.image"]),
        ({"cluster__networkDriver": "flannel"}, ["cluster.networkDriver"]),
        ({"cluster__podCidr": "10.90.0.0/16"}, ["cluster.podCidr"]),
        ({"cluster__serviceCidr": "10.91.0.0/16"}, ["cluster.serviceCidr"]),
        ({"cluster__bootVolume": {"size": 40}}, ["cluster.bootVolume.size"]),
        ({"network__dnsNameservers": ["9.9.9.9"]}, ["network.dnsNameservers"]),
        ({"cluster__labels": {"use_podman": "false"}}, ["cluster.labels.use_podman"]),
    ],
)
def test_heat_cannot_change_what_came_from_the_template(change: dict[str, Any], paths: list[str]) -> None:
    found = refusals(HEAT, {**HEAT, **change})
    assert [each.split(": ")[0] for each in found] == [f"rsp:{path}" for path in paths]


def test_cluster_api_upgrades_and_adds_labels() -> None:
    assert refusals({}, {"cluster__image": "newer", "cluster__kubernetesVersion": "v1.37.0"}) == []
    assert refusals({}, {"cluster__bootVolume": {"size": 40}, "network__dnsNameservers": ["9.9.9.9"]}) == []


def test_cluster_api_cannot_change_a_label_that_the_cluster_has() -> None:
    before = {"cluster__bootVolume": {"size": 40}, "cluster__workers__autoscaling": BOUNDS}
    (size,) = refusals(before, {**before, "cluster__bootVolume": {"size": 80}})
    assert size.startswith("rsp:cluster.bootVolume.size: is `80`, but the cluster `rsp-test-cluster` was created with")
    (maximum,) = refusals(before, {**before, "cluster__workers__autoscaling": {**BOUNDS, "maximum": 9}})
    assert maximum.startswith("rsp:cluster.workers.autoscaling.maximum: is `9`")
    assert "use a group in cluster.nodeGroups, whose bounds can be changed" in maximum


def test_the_way_to_another_flavor_is_a_node_group() -> None:
    (refusal,) = refusals({}, {"cluster__workers__flavor": "m1.large"})
    assert refusal.endswith(
        "set it back, and add nodes with the new flavor as a group in cluster.nodeGroups; or create a new cluster with "
        "another stack"
    )


def test_magnum_may_have_flavors_by_id() -> None:
    assert refusals({}, {}, flavor_id="flavor-uuid") == []


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("v1.36.2", "v1.36.2 cannot follow v1.36.3, the release of the cluster: set v1.36.3 or a later release"),
        ("v1.38.0", "v1.38.0 cannot follow v1.36.3, the release of the cluster: upgrade to 1.37 first"),
    ],
)
def test_kubernetes_is_not_downgraded_nor_upgraded_by_two_minor_releases(version: str, message: str) -> None:
    (refusal,) = refusals({}, {"cluster__kubernetesVersion": version})
    assert refusal.startswith(f"rsp:cluster.kubernetesVersion: {message}")


def test_another_driver_needs_another_cluster() -> None:
    assert "rsp:cluster.driver: is `capi`, but the cluster `rsp-test-cluster` was created with `heat`" in " ".join(
        refusals(HEAT, {})
    )


def test_a_cluster_that_was_not_created_can_change() -> None:
    assert refusals({}, {"cluster__workers__flavor": "m1.large"}, status="CREATE_FAILED") == []


def test_a_cluster_without_labels_is_compared() -> None:
    config = environment()
    found = recorded_magnum.cluster(config, labels=None, keypair=None, coe_version=None)
    template: SimpleNamespace = recorded_magnum.template(config)
    (problem,) = existing_cluster.problems(config, found, template, {})
    assert problem.where == "rsp:cloud.keypair"


def test_a_label_that_is_removed_is_refused() -> None:
    before = {"cluster__labels": {"etcd_blockdevice_size": "10", "monitoring_enabled": "true"}}
    found = refusals(before, {})
    assert [each.split(", but")[0] for each in found] == [
        "rsp:cluster.labels.etcd_blockdevice_size: is not set",
        "rsp:cluster.labels.monitoring_enabled: is `false`",
    ]


def test_allowed_networks_of_the_api_cannot_be_added() -> None:
    (refusal,) = refusals({"ingress": AMPHORA}, {"cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA})
    assert refusal.startswith("rsp:cluster.apiAllowedCidrs: is `192.0.2.0/24`, but the cluster `rsp-test-cluster` was")


def test_without_the_autoscaler_no_node_group_is_scaled() -> None:
    """So that only a new cluster is advised."""
    for driver in ({}, HEAT):
        found = refusals(driver, {**driver, "cluster__workers__autoscaling": BOUNDS})
        assert found[0].startswith("rsp:cluster.workers.autoscaling: is `true`, but the cluster")
        assert all(each.endswith("set it back, or create a new cluster with another stack") for each in found)
