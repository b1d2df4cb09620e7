"""Readiness of Kubernetes objects, by the rules of Helm and Argo CD.

Argo CD itself records only the health of the whole Application unless ``controller.resource.health.persist`` is set.
"""

from collections.abc import Iterator

from probes.kubernetes_api import Object
from probes.namespace_causes import one_line


def missing(found: Object) -> str | None:
    """Return what is missing until an object is ready; None if it is ready, or if its kind is always ready."""
    spec, status = found.get("spec") or {}, found.get("status") or {}
    reason: str | None = None
    match found["kind"]:
        case "Deployment":
            reason = _pods(status.get("readyReplicas", 0), spec.get("replicas", 1)) or _rollout(status)
        case "StatefulSet":
            reason = _pods(status.get("readyReplicas", 0), spec.get("replicas", 1))
        case "DaemonSet":
            reason = _pods(status.get("numberReady", 0), status.get("desiredNumberScheduled", 0))
        case "Job":
            reason = None if _condition(status, "Complete") == "True" else "not complete"
        case "PersistentVolumeClaim":
            reason = None if status.get("phase") == "Bound" else status.get("phase", "Pending")
        case "Ingress" | "Service" if found["kind"] == "Ingress" or spec.get("type") == "LoadBalancer":
            reason = None if (status.get("loadBalancer") or {}).get("ingress") else "no address assigned"
        case _:
            reason = "not ready" if _condition(status, "Ready") == "False" else None
    return reason


def failures(found: Object) -> Iterator[str]:
    """Yield the reasons in the conditions of an object that is not ready, such as an exceeded quota or a failed Job."""
    for condition in (found.get("status") or {}).get("conditions") or []:
        failed = {"ReplicaFailure": "True", "Failed": "True", "Ready": "False"}
        if failed.get(condition["type"]) == condition["status"]:
            yield one_line(condition.get("reason"), condition.get("message"))


def _pods(ready: int, wanted: int) -> str | None:
    return f"{ready} of {wanted} pods ready" if ready < wanted else None


def _rollout(status: Object) -> str | None:
    """Return what is missing until a rollout is complete; pods of the previous revision count as ready replicas."""
    updated = status.get("updatedReplicas", 0)
    old = status.get("replicas", 0) - updated
    return f"rollout not complete, {updated} new and {old} old pods" if old > 0 else None


def _condition(status: Object, kind: str) -> str | None:
    return next((each["status"] for each in status.get("conditions") or [] if each["type"] == kind), None)
