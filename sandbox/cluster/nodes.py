"""The Kubernetes nodes of a cluster's Nova servers."""

from typing import Final

from sandbox.cluster.description import Description, Node
from sandbox.cluster.kube import Kube, Object

COLLECTION: Final = "/api/v1/nodes"
NODE_GROUP_LABEL: Final = "magnum.openstack.org/nodegroup"
ROLE_LABEL: Final = "magnum.openstack.org/role"
CONTROL_PLANE: Final = "node-role.kubernetes.io/control-plane"
PODS_PER_NODE: Final = "110"
"""The kubelet's default."""


def manifest(node: Node, kubernetes_version: str, region: str | None) -> Object:
    """Return the Node object that a kubelet on the server would register.

    Args:
        node: Server.
        kubernetes_version: Version of the kubelet with a leading `v`.
        region: OpenStack region, for the topology label.
    """
    labels = {
        "kubernetes.io/hostname": node.name,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "node.kubernetes.io/instance-type": node.flavor,
        "topology.kubernetes.io/zone": node.zone,
        NODE_GROUP_LABEL: node.node_group,
        ROLE_LABEL: node.role,
    }
    if region:
        labels["topology.kubernetes.io/region"] = region
    if node.is_master:
        labels[CONTROL_PLANE] = ""
    capacity = {
        "cpu": str(node.vcpus),
        "memory": f"{node.memory_mib}Mi",
        "ephemeral-storage": f"{node.disk_gib}Gi",
        "pods": PODS_PER_NODE,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": node.name, "labels": labels},
        "spec": {
            "providerID": provider_id(node),
            "taints": [{"key": CONTROL_PLANE, "effect": "NoSchedule"}] if node.is_master else [],
        },
        "status": {
            # KWOK sets addresses only on nodes that lack one of these two types.
            "addresses": [
                {"type": "InternalIP", "address": str(node.address)},
                {"type": "Hostname", "address": node.name},
            ],
            "capacity": capacity,
            "allocatable": capacity,
            "nodeInfo": {"kubeletVersion": kubernetes_version},
        },
    }


def provider_id(node: Node) -> str:
    """Return the ID by which the cloud controller finds a node's server."""
    return f"openstack:///{node.server_id}"


def sync(kube: Kube, description: Description) -> None:
    """Register missing nodes and delete those without a server; their Pods are garbage-collected."""
    version = description.kubernetes_version
    region = description.trust.region if description.trust else None
    registered = {node["metadata"]["name"]: node for node in kube.list(COLLECTION)}
    wanted = {node.name: node for node in description.nodes}
    for name, node in wanted.items():
        if name in registered and registered[name]["spec"].get("providerID") != provider_id(node):
            kube.delete(f"{COLLECTION}/{name}")  # of an earlier server
            del registered[name]
        if name not in registered:
            kube.create(COLLECTION, manifest(node, version, region))
        elif registered[name]["status"]["nodeInfo"]["kubeletVersion"] != version:
            kube.merge(f"{COLLECTION}/{name}/status", {"status": {"nodeInfo": {"kubeletVersion": version}}})
    for name in registered.keys() - wanted.keys():
        kube.delete(f"{COLLECTION}/{name}")


def all_ready(kube: Kube) -> bool:
    """Return whether all nodes are Ready."""
    return all(_is_ready(node) for node in kube.list(COLLECTION))


def ready(kube: Kube) -> set[str]:
    """Return the names of the nodes that are Ready."""
    return {node["metadata"]["name"] for node in kube.list(COLLECTION) if _is_ready(node)}


def _is_ready(node: Object) -> bool:
    conditions = node["status"].get("conditions", [])
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)
