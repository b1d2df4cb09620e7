"""Why objects of a namespace are not ready, by their pods and events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from operations.kubernetes_api import KubernetesApi, Object

Key = tuple[str, str]
"""Kind and name of an object."""

_EVENTS: Final = 2
"""Events that are reported of one object, the latest ones."""
_LONGEST: Final = 300
"""Characters of a message; the cause is at one of its ends, so the middle is left out."""
_STARTING: Final = {"ContainerCreating", "PodInitializing"}
"""What a container waits for is then known by events only."""


@dataclass(frozen=True, kw_only=True)
class NamespaceCauses:
    """What the pods and events of a namespace say."""

    pods: list[Object]
    replica_sets: list[Object]
    events: list[Object]

    @classmethod
    def read(cls, api: KubernetesApi, namespace: str) -> Self:
        """Ask the cluster.

        Raises:
            KubernetesError: It does not answer, or refuses to.
        """
        return cls(
            pods=api.items(f"/api/v1/namespaces/{namespace}/pods"),
            replica_sets=api.items(f"/apis/apps/v1/namespaces/{namespace}/replicasets"),
            events=api.items(f"/api/v1/namespaces/{namespace}/events"),
        )

    def of(self, kind: str, name: str) -> list[str]:
        """Return the causes that pods of an object give, then those of its own events; none if all is well."""
        family = {(kind, name)} | {
            _key("ReplicaSet", each) for each in self.replica_sets if _owned(each, {(kind, name)})
        }
        pods = [each for each in self.pods if _owned(each, family) or _key("Pod", each) in family]
        return [*self.of_pods(pods), *self._warnings(family)]

    def of_pods(self, pods: Iterable[Object]) -> list[str]:
        """Return the causes of those pods that are not ready; the same cause once, with the number of its pods."""
        causes: dict[str, list[str]] = {}
        for pod in pods:
            for cause in self._of_pod(pod):
                causes.setdefault(cause, []).append(pod["metadata"]["name"])
        return [f"pod {_and_more(names)}: {cause}" for cause, names in causes.items()]

    def loose_pods(self) -> list[Object]:
        """Return the pods that nobody owns."""
        return [each for each in self.pods if not each["metadata"].get("ownerReferences")]

    def _of_pod(self, pod: Object) -> list[str]:
        states = _states(pod.get("status") or {})
        if not states:
            return []
        events = self._warnings({_key("Pod", pod)})
        told = [cause for reason, cause in states if reason not in _STARTING or not events]
        return [*told, *(event for event in events if not any(_says(cause, event) for cause in told))]

    def _warnings(self, about: set[Key]) -> list[str]:
        """The latest warnings about any of these objects, the last one first."""
        found = [
            each
            for each in self.events
            if each.get("type") == "Warning"
            and (each["involvedObject"].get("kind"), each["involvedObject"].get("name")) in about
        ]
        found.sort(key=_time, reverse=True)
        return list(dict.fromkeys(sentence(each.get("reason"), each.get("message")) for each in found))[:_EVENTS]


def sentence(reason: str | None, message: str | None) -> str:
    """Join a reason and a message, either of which may be missing, on one line of bearable length."""
    text = ": ".join(" ".join(part.split()) for part in (reason, message) if part)
    half = _LONGEST // 2
    return text if len(text) <= _LONGEST else f"{text[:half]} … {text[-half:]}"


def _states(status: Object) -> list[tuple[str, str]]:
    """Reason and full text of everything for which a pod is not ready."""
    phase = status.get("phase")
    if phase == "Succeeded":
        return []
    found = []
    if phase == "Failed":
        reason = status.get("reason", "Failed")
        found.append((reason, sentence(reason, status.get("message"))))
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            reason = condition.get("reason", "Unschedulable")
            found.append((reason, sentence(reason, condition.get("message"))))
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        found += _container_state(container)
    return found or ([("ContainerCreating", "Pending")] if phase == "Pending" else [])


def _container_state(container: Object) -> Iterator[tuple[str, str]]:
    name, state = container["name"], container.get("state") or {}
    last = (container.get("lastState") or {}).get("terminated")
    match state:
        case {"waiting": waiting}:
            reason = waiting.get("reason", "waiting")
            ended = f" (last time it ended with {_ending(last)})" if last else ""
            yield reason, f"{sentence(reason, waiting.get('message'))}{ended}, container {name}"
        case {"terminated": {"exitCode": code} as terminated} if code != 0:
            yield terminated.get("reason", "Error"), f"container {name} ended with {_ending(terminated)}"
        case {"running": _} if not container.get("ready") and not container.get("started"):
            yield "Unready", f"container {name} runs and is not started yet"
        case {"running": _} if not container.get("ready"):
            yield "Unready", f"container {name} runs and is not ready"


def _ending(terminated: Object) -> str:
    return (
        f"exit code {terminated['exitCode']}, {sentence(terminated.get('reason', 'Error'), terminated.get('message'))}"
    )


def _says(cause: str, event: str) -> bool:
    """Whether a cause has the message of an event."""
    return event.partition(": ")[2] in cause


def _time(event: Object) -> str:
    series = event.get("series") or {}
    return str(series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or "")


def _key(kind: str, found: Object) -> Key:
    return kind, found["metadata"]["name"]


def _owned(found: Object, owners: set[Key]) -> bool:
    return any((each["kind"], each["name"]) in owners for each in found["metadata"].get("ownerReferences") or [])


def _and_more(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more"
