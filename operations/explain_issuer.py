"""Why a ClusterIssuer of cert-manager is not ready."""

from collections.abc import Mapping
from typing import Any

from operations.kubernetes_api import KubernetesApi
from operations.namespace_causes import sentence


def explain(api: KubernetesApi, inputs: Mapping[str, Any]) -> list[str]:
    """Find out why an issuer was awaited in vain.

    Args:
        api: The cluster.
        inputs: Inputs of the resource.

    Returns:
        Lines of text, none of them secret; empty if the issuer is ready, or does not exist.

    Raises:
        KubernetesError: The cluster does not answer, or refuses to.
    """
    found = api.get(f"/apis/cert-manager.io/v1/clusterissuers/{inputs['metadata']['name']}")
    if found is None:
        return []
    conditions = (found.get("status") or {}).get("conditions")
    if not conditions:
        return ["cert-manager has not looked at the ClusterIssuer yet"]
    return [sentence(each.get("reason"), each.get("message")) for each in conditions if each["status"] != "True"]
