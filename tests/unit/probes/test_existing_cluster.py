import uuid
from types import SimpleNamespace
from typing import Any

import pytest

from probes import existing_cluster
from tests.unit.probes import recorded_magnum
from tests.unit.sample import HEAT, environment

BOUNDS = {"minimum": 1, "maximum": 5}
AMPHORA = {"loadBalancerProvider": "amphora"}
VARIANTS: list[dict[str, Any]] = [
    {},
    HEAT,
    {**HEAT, "clusters__cluster__networkDriver": "flannel"},
    {"clusters__cluster__workers__autoscaling": BOUNDS},
    {"clusters__cluster__nodeGroups__labs__autoscaling": BOUNDS},
    {"clusters__cluster__bootVolume": {"size": 40, "type": "ceph-ssd"}, "cloud__keypair": None},
    {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA},
    {**HEAT, "clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA},
    {"clusters__cluster__labels": {"etcd_blockdevice_size": "10"}},
]


def refusals(before: dict[str, Any], after: dict[str, Any], **cluster: Any) -> list[str]:
    """Return the problems of a changed configuration with the cluster that was created before."""
    was = environment(**before)
    names = {"flavor-uuid": "m1.medium"}
    found = recorded_magnum.cluster(was, **cluster)
    return [
        str(each)
        for each in existing_cluster.problems(
            environment(**after), "cluster", found, recorded_magnum.template(was), names
        )
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_unchanged_configuration_is_accepted(variant: dict[str, Any]) -> None:
    assert refusals(variant, variant) == []


@pytest.mark.parametrize("driver", [{}, HEAT])
@pytest.mark.parametrize(
    ("path", "value", "current"),
    [
        ("clusters.cluster.workers.flavor", "m1.large", "m1.medium"),
        ("clusters.cluster.masters.flavor", "m1.large", "m1.medium"),
        ("clusters.cluster.masters.count", 5, "3"),
        ("cloud.keypair", "others", "operators"),
        ("cloud.keypair", None, "operators"),
        ("clusters.cluster.publicApi", False, "true"),
        ("clusters.cluster.autohealing", False, "true"),
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


def test_an_image_that_glance_no_longer_lists_is_not_compared() -> None:
    config = environment(**HEAT)
    cluster, template = recorded_magnum.cluster(config), recorded_magnum.template(config, image_id=str(uuid.uuid4()))
    assert list(existing_cluster.problems(config, "cluster", cluster, template, {})) == []
    by_id = environment(**{**HEAT, "clusters__cluster__image": str(uuid.uuid4())})
    assert len(list(existing_cluster.problems(by_id, "cluster", cluster, template, {}))) == 1
    names = {template.image_id: "fedora-coreos-39"}
    (problem,) = existing_cluster.problems(config, "cluster", cluster, template, names)
    assert problem.where == "rsp:clusters.cluster.image"


def test_cluster_api_upgrades_and_adds_labels() -> None:
    assert refusals({}, {"clusters__cluster__image": "newer", "clusters__cluster__kubernetesVersion": "v1.37.0"}) == []
    assert refusals({}, {"clusters__cluster__bootVolume": {"size": 40}, "network__dnsNameservers": ["9.9.9.9"]}) == []


def test_another_release_of_the_charts_comes_with_the_template() -> None:
    old, new = ({"clusters__cluster__labels": {"capi_helm_chart_version": each}} for each in ("0.26.0", "0.27.0"))
    assert refusals(old, new) == []
    assert refusals(old, {}) == []


def test_cluster_api_cannot_change_a_label_that_the_cluster_has() -> None:
    before = {"clusters__cluster__bootVolume": {"size": 40}, "clusters__cluster__workers__autoscaling": BOUNDS}
    (size,) = refusals(before, {**before, "clusters__cluster__bootVolume": {"size": 80}})
    assert size.startswith(
        "rsp:clusters.cluster.bootVolume.size: is `80`, but the cluster `rsp-test-cluster` was created with"
    )
    (maximum,) = refusals(before, {**before, "clusters__cluster__workers__autoscaling": {**BOUNDS, "maximum": 9}})
    assert maximum.startswith("rsp:clusters.cluster.workers.autoscaling.maximum: is `9`")
    assert "use a group in clusters.cluster.nodeGroups, whose bounds can be changed" in maximum


def test_the_number_of_workers_cannot_change_beside_an_autoscaled_group() -> None:
    before = {"clusters__cluster__nodeGroups__labs__autoscaling": BOUNDS}
    (refusal,) = refusals(before, {**before, "clusters__cluster__workers__count": 3})
    assert refusal.startswith(
        "rsp:clusters.cluster.workers.count: is `3`, but the cluster `rsp-test-cluster` was created with `2`, which "
        "Magnum cannot change: set it back, as it is both bounds of the workers while a node group is autoscaled"
    )
    scaled = {**before, "clusters__cluster__workers__autoscaling": BOUNDS}
    assert [each.split(": ")[0] for each in refusals(scaled, before)] == [
        "rsp:clusters.cluster.workers.autoscaling.minimum",
        "rsp:clusters.cluster.workers.autoscaling.maximum",
    ]


def test_the_way_to_another_flavor_is_a_node_group() -> None:
    (refusal,) = refusals({}, {"clusters__cluster__workers__flavor": "m1.large"})
    assert refusal.endswith(
        "set it back, and add nodes with the new flavor as a group in clusters.cluster.nodeGroups; or add another "
        "cluster to `clusters` and switch to it (docs/runbooks/blue-green.md)"
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
    (refusal,) = refusals({}, {"clusters__cluster__kubernetesVersion": version})
    assert refusal.startswith(f"rsp:clusters.cluster.kubernetesVersion: {message}")


def test_another_driver_needs_another_cluster() -> None:
    assert (
        "rsp:clusters.cluster.driver: is `capi`, but the cluster `rsp-test-cluster` was created with `heat`"
        in " ".join(refusals(HEAT, {}))
    )


def test_a_cluster_that_was_not_created_can_change() -> None:
    assert refusals({}, {"clusters__cluster__workers__flavor": "m1.large"}, status="CREATE_FAILED") == []


def test_a_cluster_without_labels_is_compared() -> None:
    config = environment()
    found = recorded_magnum.cluster(config, labels=None, keypair=None, coe_version=None)
    template: SimpleNamespace = recorded_magnum.template(config)
    (problem,) = existing_cluster.problems(config, "cluster", found, template, {})
    assert problem.where == "rsp:cloud.keypair"


def test_a_label_that_is_removed_is_refused() -> None:
    before = {"clusters__cluster__labels": {"etcd_blockdevice_size": "10", "monitoring_enabled": "true"}}
    found = refusals(before, {})
    assert [each.split(", but")[0] for each in found] == [
        "rsp:clusters.cluster.labels.etcd_blockdevice_size: is not set",
        "rsp:clusters.cluster.labels.monitoring_enabled: is `false`",
    ]


def test_allowed_networks_of_the_api_cannot_be_added() -> None:
    (refusal,) = refusals(
        {"ingress": AMPHORA}, {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"], "ingress": AMPHORA}
    )
    assert refusal.startswith(
        "rsp:clusters.cluster.apiAllowedCidrs: is `192.0.2.0/24`, but the cluster `rsp-test-cluster` was"
    )


def test_without_the_autoscaler_no_node_group_is_scaled() -> None:
    """So that only a new cluster is advised."""
    for driver in ({}, HEAT):
        found = refusals(driver, {**driver, "clusters__cluster__workers__autoscaling": BOUNDS})
        assert found[0].startswith("rsp:clusters.cluster.workers.autoscaling: is `true`, but the cluster")
        assert all(
            each.endswith(
                "set it back, or add another cluster to `clusters` and switch to it (docs/runbooks/blue-green.md)"
            )
            for each in found
        )
