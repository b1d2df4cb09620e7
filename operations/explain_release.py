"""The reasons why a Helm release is not ready."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from operations.kubernetes_api import KubernetesApi, Object
from operations.namespace_causes import NamespaceCauses, sentence

_WORKLOADS: Final = {
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "StatefulSet": "/apis/apps/v1/namespaces/{}/statefulsets",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Job": "/apis/batch/v1/namespaces/{}/jobs",
}
"""Kinds with pods that Helm waits for (Jobs as hooks), each with the path of its list."""


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
            if missing := _missing(kind, each):
                name = each["metadata"]["name"]
                lines.append(f"{kind} {namespace}/{name}: {missing}")
                lines += [f"  {line}" for line in [*_failures(each), *causes.of(kind, name)]]
    lines += causes.of_pods(causes.loose_pods())
    return [f"Not ready in the namespace {namespace}:", *lines] if lines else []


def _missing(kind: str, workload: Object) -> str | None:
    """Return what is missing until a workload is ready, or None if it is."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if kind == "Job":
        done = any(each["type"] == "Complete" and each["status"] == "True" for each in status.get("conditions") or [])
        return None if done else "not complete"
    if kind == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    return f"{ready} of {wanted} pods ready" if ready < wanted else None


def _failures(workload: Object) -> Iterator[str]:
    """Yield conditions with a reason, such as an exceeded quota or a failed Job."""
    for condition in (workload.get("status") or {}).get("conditions") or []:
        if condition["type"] in {"ReplicaFailure", "Failed"} and condition["status"] == "True":
            yield sentence(condition.get("reason"), condition.get("message"))
