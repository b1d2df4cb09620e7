from dataclasses import fields
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.cluster_labels import Autoscaling, ClusterFeatures, template_labels
from config import heat_releases
from config.cluster import LABELS_OF_FIELDS
from config.stack_config import StackConfig
from program.openstack_arguments import cluster_features
from tests.unit.sample import HEAT, environment

label_names = st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True)

features = st.builds(
    ClusterFeatures,
    driver=st.sampled_from(["heat", "capi"]),
    public_api=st.booleans(),
    api_allowed_cidrs=st.lists(st.just(IPv4Network("192.0.2.0/24")), max_size=2),
    release_labels=st.just(heat_releases.labels("v1.28.9-rancher1")),
    kubernetes_version=st.builds("v1.{}.{}".format, st.integers(30, 60), st.integers(0, 20)),
    network_driver=st.sampled_from(["calico", "flannel"]),
    pods=st.just(IPv4Network("10.100.0.0/16")),
    services=st.just(IPv4Network("10.254.0.0/16")),
    load_balancer_provider=st.sampled_from(["ovn", "amphora"]),
    load_balancer_algorithm=st.sampled_from(["SOURCE_IP_PORT", "ROUND_ROBIN"]),
    autohealing=st.booleans(),
    autoscaling=st.none() | st.builds(Autoscaling, minimum=st.integers(1, 9), maximum=st.integers(9, 99)),
    availability_zone=st.none() | st.just("az-1"),
    boot_volume_size=st.none() | st.integers(1, 500),
    boot_volume_type=st.none() | st.just("ceph-ssd"),
    extra=st.dictionaries(label_names, st.text(max_size=20), max_size=5),
)


@given(features)
def test_any_features_have_valid_labels(given_features: ClusterFeatures) -> None:
    labels = template_labels(given_features)
    own = {name: value for name, value in labels.items() if name not in given_features.extra}
    assert all(isinstance(value, str) for value in labels.values())
    assert not {"True", "False", "None"} & set(own.values())
    assert list(labels) == sorted(labels)
    # Configured ones take precedence, in whatever order.
    assert given_features.extra.items() <= labels.items()
    values = {field.name: getattr(given_features, field.name) for field in fields(given_features)}
    values["extra"] = dict(reversed(list(given_features.extra.items())))
    again = template_labels(ClusterFeatures(**values))
    assert list(again.items()) == list(labels.items())
    # No admission plugin was removed from Kubernetes.
    assert "PodSecurityPolicy" not in labels.get("admission_control_list", "")
    if given_features.driver == "heat" and "admission_control_list" not in given_features.extra:
        # Without the label, Magnum up to Zed adds the plugin by default.
        assert "NodeRestriction" in labels["admission_control_list"].split(",")


def features_of(config: StackConfig) -> ClusterFeatures:
    return cluster_features(config, config.cluster)


def test_ovn_has_its_only_algorithm() -> None:
    labels = template_labels(features_of(environment()))
    assert labels["octavia_provider"] == "ovn"
    assert labels["octavia_lb_algorithm"] == "SOURCE_IP_PORT"


def test_amphora() -> None:
    chosen = environment(ingress={"loadBalancerProvider": "amphora"})
    labels = template_labels(features_of(chosen))
    assert labels["octavia_provider"] == "amphora"
    assert labels["octavia_lb_algorithm"] == "ROUND_ROBIN"


def test_monitors_of_ingress_nginx_are_no_label_as_they_can_change() -> None:
    without, monitored = (template_labels(features_of(environment(ingress__healthMonitors=on))) for on in (False, True))
    assert without == monitored
    assert without["octavia_lb_healthcheck"] == "false"
    labels = {"octavia_lb_healthcheck": "true"}
    assert template_labels(features_of(environment(clusters__cluster__labels=labels))).items() >= labels.items()


@pytest.mark.parametrize("release", heat_releases.TESTED)
def test_heat_has_the_labels_tested_with_the_release(release: str) -> None:
    labels = template_labels(features_of(environment(**{**HEAT, "clusters__cluster__kubernetesVersion": release})))
    assert labels["kube_tag"] == release
    assert heat_releases.TESTED[release].items() <= labels.items()
    assert set(heat_releases.REQUIRED) <= labels.keys()
    assert labels["calico_ipv4pool"] == "10.100.0.0/16"
    assert labels["service_cluster_ip_range"] == "10.254.0.0/16"
    assert labels["kubelet_options"] == "--node-status-max-images=-1"


@pytest.mark.parametrize("driver", [{}, HEAT])
@pytest.mark.parametrize("public", [True, False])
def test_the_floating_ip_of_the_api_is_always_explicit(driver: dict[str, str], public: bool) -> None:
    labels = template_labels(features_of(environment(**driver, clusters__cluster__publicApi=public)))
    assert labels["master_lb_floating_ip_enabled"] == str(public).lower()


@pytest.mark.parametrize(("driver", "label"), [({}, "api_master_lb_allowed_cidrs"), (HEAT, "master_lb_allowed_cidrs")])
def test_the_api_can_be_limited_to_networks(driver: dict[str, str], label: str) -> None:
    networks = {"clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24", "198.51.100.0/24"]}
    chosen = environment(**driver, **networks, ingress={"loadBalancerProvider": "amphora"})
    assert template_labels(features_of(chosen))[label] == "192.0.2.0/24,198.51.100.0/24"


def test_flannel_has_its_own_label() -> None:
    chosen = environment(**HEAT, clusters__cluster__networkDriver="flannel", clusters__cluster__podCidr="10.90.0.0/16")
    labels = template_labels(features_of(chosen))
    assert labels["flannel_network_cidr"] == "10.90.0.0/16"
    assert "calico_ipv4pool" not in labels


def test_cluster_api_has_no_labels_of_heat() -> None:
    labels = template_labels(features_of(environment()))
    assert labels["csi_cinder_reclaim_policy"] == "Retain"
    assert not {"admission_control_list", "calico_ipv4pool", "cloud_provider_tag"} & labels.keys()


def test_autoscaling_is_enabled_if_any_group_is_autoscaled() -> None:
    assert template_labels(features_of(environment()))["auto_scaling_enabled"] == "false"
    bounds = {"minimum": 1, "maximum": 5}
    chosen = environment(clusters__cluster__nodeGroups__labs__autoscaling=bounds)
    labels = template_labels(features_of(chosen))
    assert labels["auto_scaling_enabled"] == "true"
    # The number of default workers is fixed.
    assert (labels["min_node_count"], labels["max_node_count"]) == ("2", "2")


def test_labels_with_a_key_of_the_configuration_are_set() -> None:
    changes: dict[str, object] = {
        "clusters__cluster__workers__autoscaling": {"minimum": 1, "maximum": 3},
        "clusters__cluster__bootVolume": {"size": 40, "type": "ceph-ssd"},
        "clusters__cluster__apiAllowedCidrs": ["192.0.2.0/24"],
        "ingress": {"loadBalancerProvider": "amphora"},
    }
    variants = [
        changes,
        {**changes, **HEAT, "clusters__cluster__availabilityZone": "az-1"},
        {**changes, **HEAT, "clusters__cluster__networkDriver": "flannel"},
    ]
    labels = [template_labels(features_of(environment(**each))) for each in variants]
    assert LABELS_OF_FIELDS.keys() <= {name for each in labels for name in each}
