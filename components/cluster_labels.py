"""The labels of Magnum's cluster template: every one that matters, so that no default of the cloud decides.

Their reference is Magnum's user guide (https://docs.openstack.org/magnum/latest/user/); for the Cluster API driver
it is the source of magnum-capi-helm (``driver.py``), since its guide lists a part only.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Literal

ADMISSION_PLUGINS = (
    "NodeRestriction",
    "NamespaceLifecycle",
    "LimitRanger",
    "ServiceAccount",
    "ResourceQuota",
    "TaintNodesByCondition",
    "Priority",
    "DefaultTolerationSeconds",
    "DefaultStorageClass",
    "StorageObjectInUseProtection",
    "PersistentVolumeClaimResize",
    "MutatingAdmissionWebhook",
    "ValidatingAdmissionWebhook",
    "RuntimeClass",
)
"""Magnum's list up to Zed without PodSecurityPolicy, with which an API server since Kubernetes 1.25 does not start."""


@dataclass(frozen=True, kw_only=True)
class Autoscaling:
    """The bounds of the cluster autoscaler for the default workers."""

    minimum: int
    """Fewest nodes."""
    maximum: int
    """Most nodes."""


@dataclass(frozen=True, kw_only=True)
class ClusterFeatures:
    """What the labels are to say."""

    driver: Literal["heat", "capi"]
    """Magnum's driver: each has labels of its own."""
    kubernetes_version: str
    """Release with a leading v, such as v1.36.3."""
    network_driver: Literal["calico", "flannel"]
    """The pod network."""
    pods: IPv4Network
    """Addresses of pods."""
    services: IPv4Network
    """Addresses of Services."""
    load_balancer_provider: str
    """Octavia provider: ovn or amphora."""
    load_balancer_algorithm: str
    """Octavia algorithm: OVN knows SOURCE_IP_PORT only."""
    health_monitors: bool
    """Whether load balancers probe their members."""
    autohealing: bool
    """Whether nodes that stop answering are replaced."""
    autoscaling: Autoscaling | None = None
    """Bounds of the default workers; None to switch the autoscaler off."""
    boot_volume_size: int | None = None
    """Size of the nodes' root disks on Cinder in GiB; None for the flavor's own disk."""
    boot_volume_type: str | None = None
    """Cinder type of the nodes' root disks; None for the cloud's default."""
    extra: Mapping[str, str] = field(default_factory=dict)
    """Labels that a person adds; one of the same name as ours wins."""


def template_labels(features: ClusterFeatures) -> dict[str, str]:
    """All labels of a cluster template, sorted by name. Magnum takes text only: booleans are ``true`` and ``false``."""
    own = _heat if features.driver == "heat" else _cluster_api
    labels = {**_common(features), **own(features), **features.extra}
    return {name: _text(labels[name]) for name in sorted(labels)}


def _common(features: ClusterFeatures) -> dict[str, str | int | bool]:
    """The labels that both drivers know under the same name."""
    labels: dict[str, str | int | bool] = {
        "auto_healing_enabled": features.autohealing,
        "auto_scaling_enabled": features.autoscaling is not None,
        # A second door to the API, with rights of its own; Argo CD shows what runs.
        "kube_dashboard_enabled": False,
        "kube_tag": features.kubernetes_version,
        "monitoring_enabled": False,
        "octavia_lb_algorithm": features.load_balancer_algorithm,
        "octavia_lb_healthcheck": features.health_monitors,
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
    release = companion_release(features.kubernetes_version)
    pod_range = "calico_ipv4pool" if features.network_driver == "calico" else "flannel_network_cidr"
    return {
        "admission_control_list": ",".join(ADMISSION_PLUGINS),
        "auto_healing_controller": "magnum-auto-healer",
        "autoscaler_tag": release,
        "cinder_csi_enabled": True,
        "cinder_csi_plugin_tag": release,
        "cloud_provider_enabled": True,
        "cloud_provider_tag": release,
        # Nublado must know every image on a node (Phalanx, "Node status max images").
        "kubelet_options": "--node-status-max-images=-1",
        "magnum_auto_healer_tag": release,
        "service_cluster_ip_range": str(features.services),
        pod_range: str(features.pods),
        "use_podman": True,
    }


def _cluster_api(_features: ClusterFeatures) -> dict[str, str | int | bool]:
    return {"csi_cinder_reclaim_policy": "Retain"}


def companion_release(kubernetes_version: str) -> str:
    """The release of cloud-provider-openstack and of cluster-autoscaler that belongs to a Kubernetes release.

    Both number their releases by the minor release of Kubernetes that they are made for, ``.0`` being the first.

    Raises:
        ValueError: If the version does not begin with ``v<major>.<minor>.``.
    """
    matched = re.match(r"v(\d+)\.(\d+)\.", kubernetes_version)
    if not matched:
        raise ValueError(f"{kubernetes_version} is no Kubernetes release such as v1.36.3")
    return f"v{matched[1]}.{matched[2]}.0"


def _text(value: str | int | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
