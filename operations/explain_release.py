"""Why a Helm release does not become ready."""

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
"""Kinds that Helm waits for and that have pods, Jobs as hooks, with the paths of their lists."""


def explain(api: KubernetesApi, inputs: Mapping[str, Any]) -> list[str]:
    """Find out why a release was awaited in vain, by all that is in its namespace: each release has one of its own.

    Args:
        api: The cluster.
        inputs: Inputs of the resource.

    Returns:
        Lines of text, none of them secret; empty if everything is ready.

    Raises:
        KubernetesError: The cluster does not answer, or refuses to.
    """
    namespace = inputs["namespace"]
    causes = NamespaceCauses.read(api, namespace)
    lines = []
    for kind, path in _WORKLOADS.items():
        for each in api.items(path.format(namespace)):
            if missing := _missing(kind, each):
                name = each["metadata"]["name"]
                lines.append(f"{kind} {namespace}/{name}: {missing}")
                lines += [f"  {line}" for line in [*_complaints(each), *causes.of(kind, name)]]
    lines += causes.of_pods(causes.loose_pods())
    return [f"Not ready in the namespace {namespace}:", *lines] if lines else []


def _missing(kind: str, workload: Object) -> str | None:
    """What a workload lacks; None if it is ready."""
    spec, status = workload.get("spec") or {}, workload.get("status") or {}
    if kind == "Job":
        done = any(each["type"] == "Complete" and each["status"] == "True" for each in status.get("conditions") or [])
        return None if done else "not complete"
    if kind == "DaemonSet":
        wanted, ready = status.get("desiredNumberScheduled", 0), status.get("numberReady", 0)
    else:
        wanted, ready = spec.get("replicas", 1), status.get("readyReplicas", 0)
    return f"{ready} of {wanted} pods ready" if ready < wanted else None


def _complaints(workload: Object) -> Iterator[str]:
    """Conditions that say more than that pods are missing: a quota, a failed Job."""
    for condition in (workload.get("status") or {}).get("conditions") or []:
        if condition["type"] in {"ReplicaFailure", "Failed"} and condition["status"] == "True":
            yield sentence(condition.get("reason"), condition.get("message"))
