"""Kubernetes releases that Magnum's Heat driver can install, with the labels that were tested with each.

Source: Magnum's user guide, "Supported versions" (openstack/magnum, doc/source/user/index.rst, stable/2025.1; later
branches list nothing newer). The driver installs the container image rancher/hyperkube:KUBE_TAG, of which only tags
with a suffix -rancherN exist.
"""

import re
from collections.abc import Mapping

TAG = re.compile(r"v1\.\d+\.\d+-rancher\d+")
"""Kubernetes releases in the form of the driver's label ``kube_tag``."""

REQUIRED = ("containerd_version", "containerd_tarball_sha256", "cloud_provider_tag", "cinder_csi_plugin_tag")
"""Labels without which the driver's defaults, made for Kubernetes 1.23, would be installed."""


def _tested(containerd: str, sha256: str, openstack: str, **more: str) -> dict[str, str]:
    return {
        "container_runtime": "containerd",
        "containerd_version": containerd,
        "containerd_tarball_sha256": sha256,
        "cloud_provider_tag": openstack,
        "cinder_csi_plugin_tag": openstack,
        "k8s_keystone_auth_tag": openstack,
        "magnum_auto_healer_tag": openstack,
        "octavia_ingress_controller_tag": openstack,
        **more,
    }


_1_28 = _tested(
    "1.6.31", "75afb9b9674ff509ae670ef3ab944ffcdece8ea9f7d92c42307693efa7b6109d", "v1.27.3", calico_tag="v3.26.4"
)
_1_27 = _tested(
    "1.6.28", "f70736e52d61e5ad225f4fd21643b5ca1220013ab8b6c380434caeefb572da9b", "v1.27.3", calico_tag="v3.26.4"
)
_CSI = {
    "flannel_tag": "v0.21.5",
    "coredns_tag": "1.10.1",
    "csi_snapshotter_tag": "v6.2.1",
    "csi_attacher_tag": "v4.2.0",
    "csi_resizer_tag": "v1.7.0",
    "csi_provisioner_tag": "v3.4.1",
    "csi_node_driver_registrar_tag": "v2.8.0",
}
_1_6_20 = ("1.6.20", "1d86b534c7bba51b78a7eeb1b67dd2ac6c0edeb01c034cc5f590d5ccd824b416")

TESTED: Mapping[str, Mapping[str, str]] = {
    "v1.28.9-rancher1": _1_28,
    "v1.27.8-rancher2": _1_27,
    "v1.26.8-rancher1": _tested(*_1_6_20, "v1.26.3", **_CSI),
    "v1.25.9-rancher1": _tested(*_1_6_20, "v1.25.5", **_CSI),
}
"""Labels by release, newest first. Older releases require Magnum Antelope or earlier."""


def labels(kube_tag: str) -> dict[str, str]:
    """Return the labels that were tested with a release; empty if it was not tested."""
    if kube_tag not in TESTED:
        return {}
    minor = kube_tag.split(".")[1]
    # One image of openstackmagnum/cluster-autoscaler per minor release of Kubernetes exists, up to v1.28.0.
    return {**TESTED[kube_tag], "autoscaler_tag": f"v1.{minor}.0"}
