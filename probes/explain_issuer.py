"""The reasons why a cert-manager ClusterIssuer is not ready."""

from collections.abc import Mapping
from typing import Any

from probes.kubernetes_api import KubernetesApi
from probes.namespace_causes import one_line


def explain(api: KubernetesApi, inputs: Mapping[str, Any]) -> list[str]:
    """Return the reasons why an issuer did not become ready.

    Args:
        api: Client for the cluster.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets; empty if the issuer is ready or does not exist.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    found = api.get(f"/apis/cert-manager.io/v1/clusterissuers/{inputs['metadata']['name']}")
    if found is None:
        return []
    conditions = (found.get("status") or {}).get("conditions")
    if not conditions:
        return ["cert-manager has not reconciled the ClusterIssuer yet"]
    return [one_line(each.get("reason"), each.get("message")) for each in conditions if each["status"] != "True"]
