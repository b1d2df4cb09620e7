"""Labels of Magnum's cluster template that the program sets to the same value in every stack.

Reference: Magnum's user guide (https://docs.openstack.org/magnum/latest/user/); for the Cluster API driver, the source
of magnum-capi-helm (``driver.py``), as its guide is incomplete.
"""

from collections.abc import Mapping

from config.cluster import Driver

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
"""Magnum's default list (Zed) without PodSecurityPolicy, which Kubernetes 1.25 removed."""

_COMMON = {
    # The dashboard would be another way to the API, with its own permissions.
    "kube_dashboard_enabled": "false",
    "monitoring_enabled": "false",
    # Default for Services of type LoadBalancer. That of ingress-nginx has an annotation, which can change later.
    "octavia_lb_healthcheck": "false",
}

FIXED: Mapping[Driver, Mapping[str, str]] = {
    "heat": {
        **_COMMON,
        "admission_control_list": ",".join(ADMISSION_PLUGINS),
        "auto_healing_controller": "magnum-auto-healer",
        "cinder_csi_enabled": "true",
        "cloud_provider_enabled": "true",
        # Nublado needs the complete list of images on a node (Phalanx, "Node status max images").
        "kubelet_options": "--node-status-max-images=-1",
        "use_podman": "true",
    },
    "capi": {**_COMMON, "csi_cinder_reclaim_policy": "Retain"},
}
"""Labels by driver. ``clusters.NAME.labels`` in a stack's file override them."""
