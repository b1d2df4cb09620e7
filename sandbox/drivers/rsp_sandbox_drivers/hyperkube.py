"""Kubernetes releases of Magnum's Heat driver: tags of the container image rancher/hyperkube."""

from collections.abc import Mapping

DEFAULT_TAG = "v1.23.3-rancher1"
"""Default of `kube_tag` in Magnum 15 (Zed)."""

TAGS = (
    DEFAULT_TAG,
    "v1.23.8-rancher1",
    "v1.25.9-rancher1",
    "v1.26.8-rancher1",
    "v1.27.8-rancher2",
    "v1.28.9-rancher1",
)
"""Tags that the sandbox knows: those of Magnum's user guide, "Supported versions"."""

_FAILED = (
    "Resource CREATE failed: Error: resources.kube_masters.resources[0].resources.master_config_deployment: "
    "Deployment to server failed: "
)


def failure(labels: Mapping[str, str]) -> str:
    """Return the reason why the sandbox cannot start Kubernetes, which has no container images.

    Args:
        labels: Labels of the cluster.
    """
    tag = labels.get("kube_tag", DEFAULT_TAG)
    image = f"{labels.get('hyperkube_prefix', 'docker.io/rancher/')}hyperkube:{tag}"
    if tag in TAGS:
        return f"{_FAILED}the sandbox has no {image}; it can start clusters of Cluster API images only"
    return f"{_FAILED}{image}: manifest unknown; its tags end in -rancherN, such as {TAGS[-1]}"
