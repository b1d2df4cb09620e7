"""Addresses of a cluster's nodes.

They come from Kubernetes, as magnum-capi-helm does not report them to Magnum (``node_addresses``).
"""

from ipaddress import IPv4Address, ip_address

from probes.kubernetes_api import KubernetesApi, Object

_MASTER_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def addresses(kubeconfig: str) -> list[str]:
    """Return the internal IPv4 addresses of all nodes except masters, in ascending order.

    Args:
        kubeconfig: Text of a kubeconfig.

    Raises:
        KubernetesError: The Kubernetes API cannot be reached, or refuses the request.
    """
    return addresses_of(KubernetesApi(kubeconfig))


def addresses_of(client: KubernetesApi) -> list[str]:
    """Return the same as `addresses`, using an existing client."""
    nodes = client.items("/api/v1/nodes")
    found = {address for node in nodes if not _is_master(node) for address in _internal(node)}
    return [str(address) for address in sorted(found)]


def _is_master(node: Object) -> bool:
    labels = node["metadata"].get("labels") or {}
    # Magnum's Heat driver sets only the second one on clusters of some releases.
    return any(label in labels for label in _MASTER_LABELS) or labels.get("magnum.openstack.org/role") == "master"


def _internal(node: Object) -> list[IPv4Address]:
    listed = (node.get("status") or {}).get("addresses") or []
    found = [ip_address(each["address"]) for each in listed if each["type"] == "InternalIP"]
    return [each for each in found if isinstance(each, IPv4Address)]
