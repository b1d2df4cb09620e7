"""The reasons why a Helm release is not ready."""

from collections.abc import Mapping
from typing import Any, Final

from probes import readiness
from probes.kubernetes_api import KubernetesApi
from probes.namespace_causes import NamespaceCauses

_WORKLOADS: Final = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}
"""Paths of the lists of kinds with pods that Helm waits for (Jobs as hooks), by kind."""


def explain(api: KubernetesApi, inputs: Mapping[str, Any]) -> list[str]:
    """Return the reasons why a release did not become ready.

    This inspects the whole namespace, as each release has its own.

    Args:
        api: Client for the cluster.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets; empty if everything is ready.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    namespace = inputs["namespace"]
    causes = NamespaceCauses.read(api, namespace)
    lines = []
    for kind, path in _WORKLOADS.items():
        for each in api.items(path.format(namespace)):
            # The items of a list have no kind.
            if missing := readiness.missing({**each, "kind": kind}):
                name = each["metadata"]["name"]
                lines.append(f"{kind} {namespace}/{name}: {missing}")
                lines += [f"  {line}" for line in [*readiness.failures(each), *causes.of(kind, name)]]
    lines += causes.of_pods(causes.loose_pods())
    return [f"Not ready in the namespace {namespace}:", *lines] if lines else []
