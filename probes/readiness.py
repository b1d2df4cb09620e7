"""Whether objects of a cluster are ready, by the rules of Helm and Argo CD.

Argo CD records the health of the whole Application alone, unless ``controller.resource.health.persist`` is set.
"""

from collections.abc import Iterator

from probes.kubernetes_api import Object
from probes.namespace_causes import sentence


def missing(found: Object) -> str | None:
    """Return what is missing until an object is ready; None if it is ready, or of a kind that is ready at once."""
    spec, status = found.get("spec") or {}, found.get("status") or {}
    lack: str | None = None
    match found["kind"]:
        case "Deployment":
            lack = _pods(status.get("readyReplicas", 0), spec.get("replicas", 1)) or _rollout(status)
        case "StatefulSet":
            lack = _pods(status.get("readyReplicas", 0), spec.get("replicas", 1))
        case "DaemonSet":
            lack = _pods(status.get("numberReady", 0), status.get("desiredNumberScheduled", 0))
        case "Job":
            lack = None if _condition(status, "Complete") == "True" else "not complete"
        case "PersistentVolumeClaim":
            lack = None if status.get("phase") == "Bound" else status.get("phase", "Pending")
        case "Ingress" | "Service" if found["kind"] == "Ingress" or spec.get("type") == "LoadBalancer":
            lack = None if (status.get("loadBalancer") or {}).get("ingress") else "no address assigned"
        case _:
            lack = "not ready" if _condition(status, "Ready") == "False" else None
    return lack


def failures(found: Object) -> Iterator[str]:
    """Yield the reasons in the conditions of an object that is not ready: an exceeded quota, a failed Job, an error."""
    for condition in (found.get("status") or {}).get("conditions") or []:
        failed = {"ReplicaFailure": "True", "Failed": "True", "Ready": "False"}
        if failed.get(condition["type"]) == condition["status"]:
            yield sentence(condition.get("reason"), condition.get("message"))


def _pods(ready: int, wanted: int) -> str | None:
    return f"{ready} of {wanted} pods ready" if ready < wanted else None


def _rollout(status: Object) -> str | None:
    """Return what a rollout lacks; meanwhile pods of the previous revision may keep the Deployment ready."""
    updated = status.get("updatedReplicas", 0)
    old = status.get("replicas", 0) - updated
    return f"rollout not complete, {updated} new and {old} old pods" if old > 0 else None


def _condition(status: Object, kind: str) -> str | None:
    return next((each["status"] for each in status.get("conditions") or [] if each["type"] == kind), None)
