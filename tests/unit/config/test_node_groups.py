from typing import Any

import pytest

from config.loader import ConfigError
from tests.unit.sample import HEAT, environment

GPU = {
    "labels": {"example.org/gpu": "a100"},
    "taints": ["gpu=:NoSchedule", "example.org/gpu=a100:NoExecute"],
    "availabilityZone": "az1",
}


def gpus(**settings: Any) -> dict[str, Any]:
    return {"clusters__cluster__nodeGroups__gpus": {"flavor": "gpu.large", "count": 2, **settings}}


@pytest.mark.parametrize(
    ("key", "way"),
    [
        (
            "labels",
            "by the label that they have: its nodes have the label capi.stackhpc.com/node-group=gpus",
        ),
        (
            "taints",
            "by a nodeSelector: its nodes have the label capi.stackhpc.com/node-group=gpus",
        ),
        ("availabilityZone", "the cloud's management cluster chooses the zone"),
    ],
)
def test_what_cluster_api_does_not_pass_on_is_refused_with_the_way(key: str, way: str) -> None:
    with pytest.raises(ConfigError) as refused:
        environment(**gpus(**{key: GPU[key]}))
    message = str(refused.value)
    assert message.startswith(
        f"Pulumi.test.yaml: rsp:clusters.cluster.nodeGroups.gpus.{key}: Magnum's driver for Cluster API "
    )
    assert way in message


def test_a_gpu_flavor_needs_no_further_key() -> None:
    assert environment(**gpus()).cluster.node_groups["gpus"].flavor == "gpu.large"


def test_heat_allows_all() -> None:
    group = environment(**HEAT, **gpus(**GPU)).cluster.node_groups["gpus"]
    assert list(group.taints) == GPU["taints"]


@pytest.mark.parametrize(
    "settings",
    [
        {"labels": {"node-role.kubernetes.io/gpu": "x"}},
        {"labels": {"k8s.io/gpu": "x"}},
        {"labels": {"magnum.openstack.org/role": "x"}},
        {"labels": {"gpu": "a b"}},
        {"labels": {"gpu;rm": "x"}},
        {"labels": {"gpu": "a,b=c"}},
        {"taints": ["gpu=x:y:NoSchedule"]},
        {"taints": ["gpu=a100:Never"]},
        {"taints": ["gpu:NoSchedule"]},
        {"taints": ["node.kubernetes.io/gpu=:NoSchedule"]},
        # Magnum reads these from the labels of the cluster.
        {"bootVolume": {"size": 10}},
    ],
)
def test_values_that_kubelet_or_magnum_would_not_accept(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"rsp:clusters\.cluster\.nodeGroups\.gpus\."):
        environment(**HEAT, **gpus(**settings))


def test_the_default_workers_have_the_labels_of_the_cluster() -> None:
    with pytest.raises(ConfigError, match=r"rsp:clusters\.cluster\.workers\.labels"):
        environment(**HEAT, clusters__cluster__workers__labels={"gpu": "a100"})


@pytest.mark.parametrize("scaled", ["workers", "nodeGroups__labs"])
def test_cluster_api_needs_bounds_of_each_group_if_one_has_them(scaled: str) -> None:
    bounds = {f"clusters__cluster__{scaled}__autoscaling": {"minimum": 1, "maximum": 5}}
    with pytest.raises(ConfigError) as refused:
        environment(**bounds, **gpus())
    assert str(refused.value) == (
        "Pulumi.test.yaml: rsp:clusters.cluster.nodeGroups.gpus.autoscaling: is required here if another group of the "
        "cluster has it, as Magnum's driver for Cluster API lets the autoscaler reduce a group without bounds to 1 "
        "node: set {minimum: 2, maximum: 2} for a fixed number"
    )
    assert environment(**bounds, **gpus(autoscaling={"minimum": 2, "maximum": 2}))
    assert environment(**bounds, **gpus(count=1))
    assert environment(**gpus())


def test_heat_scales_the_default_workers_only() -> None:
    bounds = {"minimum": 1, "maximum": 5}
    assert environment(**HEAT, **gpus(), clusters__cluster__workers__autoscaling=bounds)
    with pytest.raises(ConfigError, match=r"nodeGroups\.gpus\.autoscaling: Magnum's driver heat runs the autoscaler"):
        environment(**HEAT, **gpus(autoscaling=bounds))
