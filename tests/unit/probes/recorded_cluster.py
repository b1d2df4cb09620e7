from collections.abc import Mapping
from typing import Any

from probes.kubernetes_api import KubernetesApi, Object


class RecordedCluster(KubernetesApi):
    """A cluster with recorded responses; other objects do not exist.

    Args:
        answers: An object or the items of a list, by path.
    """

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def get(self, path: str, **_query: str) -> Object | None:
        """Return the recorded response."""
        answer = self._answers.get(path)
        return {"items": answer} if isinstance(answer, list) else answer


def owned(kind: str, name: str, owner: tuple[str, str] | None = None, **rest: Any) -> Object:
    """Return an object with an owner."""
    owners = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
    return {"metadata": {"name": name, "namespace": "squareone", "ownerReferences": owners}, "kind": kind, **rest}


def pod(name: str, state: Object, owner: tuple[str, str] | None = None, **container: Any) -> Object:
    """Return a pod with one container in a state."""
    status = {"name": "main", "ready": False, "state": state, **container}
    return owned("Pod", name, owner, status={"phase": "Pending", "containerStatuses": [status]})


def event(about: tuple[str, str], reason: str, message: str, at: str = "2026-01-01T10:00:00Z", **rest: str) -> Object:
    """Return a warning event about an object."""
    kind, name = about
    return {
        "type": "Warning",
        "reason": reason,
        "message": message,
        "lastTimestamp": at,
        "involvedObject": {"kind": kind, "name": name, "namespace": "squareone"},
        **rest,
    }
