"""Labels of Magnum's cluster template, set explicitly so that they do not depend on the cloud's defaults.

Reference: Magnum's user guide (https://docs.openstack.org/magnum/latest/user/); for the Cluster API driver, the source
of magnum-capi-helm (``driver.py``), as its guide is incomplete.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

from config.magnum_labels import FIXED


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """Bounds of the cluster autoscaler for a node group."""

    minimum: int
    """Minimum number of nodes."""
    maximum: int
    """Maximum number of nodes."""


@dataclass(frozen=True, kw_only=True)
class ClusterFeatures:
    """Features that the labels describe."""

    driver: Literal["heat", "capi"]
    """Magnum driver."""
    kubernetes_version: str
    """Kubernetes release with a leading v, such as v1.36.3."""
    network_driver: Literal["calico", "flannel"]
    """Pod network."""
    pods: IPv4Network
    """Address range of pods."""
    services: IPv4Network
    """Address range of Services."""
    load_balancer_provider: str
    """Octavia provider: ovn or amphora."""
    load_balancer_algorithm: str
    """Octavia algorithm; OVN supports SOURCE_IP_PORT only."""
    public_api: bool
    """True if the load balancer of the Kubernetes API has a floating IP."""
    api_allowed_cidrs: Sequence[IPv4Network]
    """Networks that may reach the Kubernetes API; all if empty."""
    autohealing: bool
    """Whether unresponsive nodes are replaced."""
    autoscaling: Autoscaling | None
    """Autoscaler bounds of the default workers, or None to disable the autoscaler."""
    availability_zone: str | None
    """Availability zone of nodes and their volumes, with driver heat; any if None."""
    boot_volume_size: int | None
    """Size of the nodes' root volumes in GiB; None to use the flavor's disk."""
    boot_volume_type: str | None
    """Cinder volume type of the root volumes; None for the cloud's default."""
    release_labels: Mapping[str, str]
    """Labels that the Heat driver needs for the Kubernetes release."""
    extra: Mapping[str, str]
    """Additional labels, which override those of the program."""


def template_labels(features: ClusterFeatures) -> dict[str, str]:
    """Return all labels of a cluster template, sorted by name; booleans are ``true`` and ``false``."""
    own = _heat if features.driver == "heat" else _cluster_api
    labels = {**FIXED[features.driver], **_common(features), **own(features), **features.extra}
    return {name: _text(labels[name]) for name in sorted(labels)}


def node_group_labels(
    features: ClusterFeatures, labels: Mapping[str, str], taints: Sequence[str], zone: str | None
) -> dict[str, str]:
    """Return the labels of a node group with Heat that differ from those of the cluster.

    Source: ``_get_relevant_labels`` in ``magnum/drivers/heat/template_def.py``, and its callers. Size and type of boot
    volumes are always those of the cluster.

    Args:
        features: Features of the cluster.
        labels: Kubernetes labels of the nodes.
        taints: Taints of the nodes, as ``key=value:effect``.
        zone: Availability zone; None for the cloud's default.
    """
    # Magnum's own labels are further options --node-labels.
    options = [f"--node-labels={','.join(f'{key}={labels[key]}' for key in sorted(labels))}"] if labels else []
    options += [f"--register-with-taints={','.join(taints)}"] if taints else []
    found = {"availability_zone": zone} if zone else {}
    if options:
        of_cluster = template_labels(features).get("kubelet_options", "")
        found["kubelet_options"] = " ".join([of_cluster, *options]).strip()
    return found


def _common(features: ClusterFeatures) -> dict[str, str | int | bool]:
    """Return the labels that both drivers support."""
    labels: dict[str, str | int | bool] = {
        "auto_healing_enabled": features.autohealing,
        "auto_scaling_enabled": features.autoscaling is not None,
        "kube_tag": features.kubernetes_version,
        # With Cluster API the default is true. The template's floating_ip_enabled is about nodes.
        "master_lb_floating_ip_enabled": features.public_api,
        "octavia_lb_algorithm": features.load_balancer_algorithm,
        "octavia_provider": features.load_balancer_provider,
    }
    if features.autoscaling:
        labels["min_node_count"] = features.autoscaling.minimum
        labels["max_node_count"] = features.autoscaling.maximum
    if features.boot_volume_size:
        labels["boot_volume_size"] = features.boot_volume_size
    if features.boot_volume_type:
        labels["boot_volume_type"] = features.boot_volume_type
    return labels


def _heat(features: ClusterFeatures) -> dict[str, str | int | bool]:
    pod_range = "calico_ipv4pool" if features.network_driver == "calico" else "flannel_network_cidr"
    labels: dict[str, str | int | bool] = {
        **features.release_labels,
        "service_cluster_ip_range": str(features.services),
        pod_range: str(features.pods),
    }
    if features.availability_zone:
        labels["availability_zone"] = features.availability_zone
    if features.api_allowed_cidrs:
        labels["master_lb_allowed_cidrs"] = _csv(features.api_allowed_cidrs)
    return labels


def _cluster_api(features: ClusterFeatures) -> dict[str, str | int | bool]:
    if features.api_allowed_cidrs:
        return {"api_master_lb_allowed_cidrs": _csv(features.api_allowed_cidrs)}
    return {}


def _csv(networks: Sequence[IPv4Network]) -> str:
    return ",".join(map(str, networks))


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
