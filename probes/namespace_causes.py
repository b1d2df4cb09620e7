"""The reasons why objects of a namespace are not ready, from their pods and events."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from probes.kubernetes_api import KubernetesApi, Object

Key = tuple[str, str]
"""Kind and name of an object."""

_MAX_EVENTS: Final = 2
"""Maximum number of events reported for an object, latest first."""
_MAX_LENGTH: Final = 300
"""Maximum length of a message in characters; the middle is left out, as the cause is at one of the ends."""
_STARTING: Final = {"ContainerCreating", "PodInitializing"}
"""Reasons of waiting containers for which only events have the cause."""


@dataclass(frozen=True, kw_only=True)
class NamespaceCauses:
    """The pods, ReplicaSets and events of a namespace."""

    pods: list[Object]
    replica_sets: list[Object]
    events: list[Object]

    @classmethod
    def read(cls, api: KubernetesApi, namespace: str) -> Self:
        """Read a namespace.

        Raises:
            KubernetesError: The API cannot be reached, or refuses the request.
        """
        return cls(
            pods=api.items(f"/api/v1/namespaces/{namespace}/pods"),
            replica_sets=api.items(f"/apis/apps/v1/namespaces/{namespace}/replicasets"),
            events=api.items(f"/api/v1/namespaces/{namespace}/events"),
        )

    def of(self, kind: str, name: str) -> list[str]:
        """Return the causes from an object's pods, then from its own events; empty if there are none."""
        family = {(kind, name)} | {
            _key("ReplicaSet", each) for each in self.replica_sets if _owned(each, {(kind, name)})
        }
        pods = [each for each in self.pods if _owned(each, family) or _key("Pod", each) in family]
        return [*self.of_pods(pods), *self._warnings(family)]

    def of_pods(self, pods: Iterable[Object]) -> list[str]:
        """Return the causes from pods that are not ready, each once with the number of its pods."""
        causes: dict[str, list[str]] = {}
        for pod in pods:
            for cause in self._of_pod(pod):
                causes.setdefault(cause, []).append(pod["metadata"]["name"])
        return [f"pod {_and_more(names)}: {cause}" for cause, names in causes.items()]

    def loose_pods(self) -> list[Object]:
        """Return the pods without an owner."""
        return [each for each in self.pods if not each["metadata"].get("ownerReferences")]

    def _of_pod(self, pod: Object) -> list[str]:
        states = _states(pod.get("status") or {})
        if not states:
            return []
        events = self._warnings({_key("Pod", pod)})
        causes = [cause for reason, cause in states if reason not in _STARTING or not events]
        return [*causes, *(event for event in events if not any(_repeats(event, cause) for cause in causes))]

    def _warnings(self, about: set[Key]) -> list[str]:
        """Return the latest warnings about any of these objects, latest first."""
        found = [
            each
            for each in self.events
            if each.get("type") == "Warning"
            and (each["involvedObject"].get("kind"), each["involvedObject"].get("name")) in about
        ]
        found.sort(key=_time, reverse=True)
        return list(dict.fromkeys(one_line(each.get("reason"), each.get("message")) for each in found))[:_MAX_EVENTS]


def one_line(reason: str | None, message: str | None) -> str:
    """Join an optional reason and message on one line of limited length."""
    text = ": ".join(" ".join(part.split()) for part in (reason, message) if part)
    half = _MAX_LENGTH // 2
    return text if len(text) <= _MAX_LENGTH else f"{text[:half]} … {text[-half:]}"


def _states(status: Object) -> list[tuple[str, str]]:
    """Return the reason and full text of each cause why a pod is not ready."""
    phase = status.get("phase")
    if phase == "Succeeded":
        return []
    found = []
    if phase == "Failed":
        reason = status.get("reason", "Failed")
        found.append((reason, one_line(reason, status.get("message"))))
    for condition in status.get("conditions") or []:
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            reason = condition.get("reason", "Unschedulable")
            found.append((reason, one_line(reason, condition.get("message"))))
    for container in [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]:
        found += _container_state(container)
    return found or ([("ContainerCreating", "Pending")] if phase == "Pending" else [])


def _container_state(container: Object) -> Iterator[tuple[str, str]]:
    name, state = container["name"], container.get("state") or {}
    last = (container.get("lastState") or {}).get("terminated")
    match state:
        case {"waiting": waiting}:
            reason = waiting.get("reason", "waiting")
            ended = f" (last terminated with {_termination(last)})" if last else ""
            yield reason, f"{one_line(reason, waiting.get('message'))}{ended}, container {name}"
        case {"terminated": {"exitCode": code} as terminated} if code != 0:
            yield terminated.get("reason", "Error"), f"container {name} terminated with {_termination(terminated)}"
        case {"running": _} if not container.get("ready") and not container.get("started"):
            yield "Unready", f"container {name} is running but not started yet"
        case {"running": _} if not container.get("ready"):
            yield "Unready", f"container {name} is running but not ready"


def _termination(terminated: Object) -> str:
    return (
        f"exit code {terminated['exitCode']}, {one_line(terminated.get('reason', 'Error'), terminated.get('message'))}"
    )


def _repeats(event: str, cause: str) -> bool:
    """Return whether the message of an event is part of a cause."""
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
