"""A cluster and its template as Magnum's API shows them, for the sample configuration."""

from types import SimpleNamespace
from typing import Any

from components.cluster_labels import template_labels
from config.stack_config import StackConfig
from program.openstack_arguments import cluster_features
from tests.unit.sample import environment


def cluster(config: StackConfig | None = None, **changes: Any) -> SimpleNamespace:
    """Return the cluster that a configuration creates.

    Args:
        config: The configuration; the sample by default.
        changes: Attributes that differ.
    """
    config = config or environment()
    settings = config.cluster
    attributes: dict[str, Any] = {
        "name": "rsp-test-cluster",
        "status": "CREATE_COMPLETE",
        "api_address": "https://203.0.113.7:6443" if settings.public_api else "https://10.20.0.7:6443",
        "cluster_template_id": "template-uuid",
        "coe_version": settings.kubernetes_version,
        "flavor_id": settings.workers.flavor,
        "master_flavor_id": settings.masters.flavor,
        "master_count": settings.masters.count,
        "keypair": config.cloud.keypair,
        "labels": template_labels(cluster_features(config, config.cluster)),
    }
    return SimpleNamespace(**{**attributes, **changes})


def template(config: StackConfig | None = None, **changes: Any) -> SimpleNamespace:
    """Return the template of the cluster, as `cluster` does."""
    config = config or environment()
    heat = config.cluster.driver == "heat"
    attributes: dict[str, Any] = {
        "image_id": config.cluster.image,
        "cluster_distro": "fedora-coreos" if heat else "ubuntu",
        "network_driver": config.cluster.network_driver,
        "dns_nameserver": ",".join(map(str, config.network.dns_nameservers)) or None,
    }
    return SimpleNamespace(**{**attributes, **changes})


def group(name: str, status: str, **rest: Any) -> dict[str, Any]:
    """Return a node group, as Magnum shows it."""
    return {"uuid": f"{name}-uuid", "name": name, "status": status, "node_count": 2, **rest}


def groups(cluster: str, *found: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    """Return Magnum's responses about the node groups of a cluster; the list has no reasons."""
    path = f"GET /clusters/{cluster}/nodegroups"
    listed = [{key: value for key, value in each.items() if key != "status_reason"} for each in found]
    return {path: (200, {"nodegroups": listed}), **{f"{path}/{each['uuid']}": (200, each) for each in found}}
