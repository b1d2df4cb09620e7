"""Health of pods: those that are not ready, and those that restart."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from probes.health import kubernetes
from probes.health.finding import Finding, State
from probes.kubernetes_api import KubernetesApi, Object
from probes.namespace_causes import NamespaceCauses, one_line

RECENT: Final = timedelta(hours=1)
"""Time during which a restart is reported."""

_FAILURES: Final = frozenset(
    {
        *("CrashLoopBackOff", "ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "PostStartHookError"),
        *("StartError", "ContainerCannotRun"),
    },
)
"""Reasons of waiting containers that do not pass by themselves."""


@dataclass(frozen=True, kw_only=True)
class Dependencies:
    """What pods depend on, to recognize in the messages about them."""

    nfs_address: str | None
    """IPv4 address of the NFS server; None if there is none."""
    nfs: tuple[str, ...]
    """Subjects of the findings about the NFS server and shares."""
    secrets: tuple[str, ...]
    """Subjects of the findings about secrets and their source."""


def subject(pod: Object) -> str:
    """Return the subject of the finding about a pod."""
    return f"pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"


def check(
    client: KubernetesApi, on: Dependencies, platform: Collection[str], now: datetime
) -> dict[str, list[Finding]]:
    """Return a finding for each pod that is not ready or was restarted, by namespace.

    Args:
        client: Client for the cluster.
        on: What pods depend on.
        platform: Namespaces of the platform. Pods elsewhere are those of users: their failures are warnings.
        now: Current time.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    lost = {each["metadata"]["name"] for each in client.items("/api/v1/nodes") if not _is_ready(each["status"])}
    findings: dict[str, list[Finding]] = {}
    causes: dict[str, NamespaceCauses] = {}
    for each in client.items("/api/v1/pods"):
        if not _is_wrong(each, lost, now):
            continue
        namespace = each["metadata"]["namespace"]
        if namespace not in causes:
            causes[namespace] = NamespaceCauses.read(client, namespace)
        prefix = f"pod {each['metadata']['name']}: "
        reasons = [line.removeprefix(prefix) for line in causes[namespace].of_pods([each])]
        found = judge(each, reasons, on, lost, now)
        if namespace not in platform and found.state is State.CRITICAL:
            found = replace(found, state=State.WARNING)
        findings.setdefault(namespace, []).append(found)
    return findings


def judge(pod: Object, reasons: list[str], on: Dependencies, lost: Collection[str], now: datetime) -> Finding:
    """Return the finding about a pod that is not ready, or was restarted.

    Args:
        pod: The pod.
        reasons: Why it is not ready.
        on: What pods depend on.
        lost: Names of the nodes that are not ready.
        now: Current time.
    """
    namespace, name, node = pod["metadata"]["namespace"], pod["metadata"]["name"], pod["spec"].get("nodeName", "")
    restarts = list(_restarts(pod, now))
    if node in lost:
        reasons = [f"its node {node} is not ready", *reasons]
    message = "\n".join([*reasons, *restarts]) or "is not ready"
    because_of = [kubernetes.node_subject(node)] if node in lost else []
    if "secret" in message.lower() and "not found" in message:
        because_of += on.secrets
    if (on.nfs_address and on.nfs_address in message) or "mount.nfs" in message:
        because_of += on.nfs
    failed = node in lost or _fails(pod) or "FailedMount" in message
    return Finding(
        subject=subject(pod),
        state=State.CRITICAL if failed else State.WARNING,
        message=message,
        remedy=f"`kubectl -n {namespace} describe pod {name}`, `kubectl -n {namespace} logs {name} --previous`",
        because_of=tuple(because_of),
    )


def _is_wrong(pod: Object, lost: Collection[str], now: datetime) -> bool:
    status = pod.get("status") or {}
    if status.get("phase") == "Succeeded" or pod["metadata"].get("deletionTimestamp"):
        return False
    return not _is_ready(status) or pod["spec"].get("nodeName") in lost or any(_restarts(pod, now))


def _fails(pod: Object) -> bool:
    status = pod.get("status") or {}
    unscheduled = any(
        each["type"] == "PodScheduled" and each["status"] == "False" for each in status.get("conditions") or []
    )
    waiting = {((each.get("state") or {}).get("waiting") or {}).get("reason") for each in _containers(status)}
    return unscheduled or bool(waiting & _FAILURES)


def _restarts(pod: Object, now: datetime) -> Iterator[str]:
    """Yield a line for each container that was restarted recently, with the reason why it ended before."""
    for each in _containers(pod.get("status") or {}):
        ended = (each.get("lastState") or {}).get("terminated") or {}
        if not each.get("restartCount") or not ended.get("finishedAt"):
            continue
        if now - datetime.fromisoformat(ended["finishedAt"]).astimezone(UTC) <= RECENT:
            reason = one_line(ended.get("reason", "Error"), ended.get("message"))
            yield (
                f"container {each['name']} was restarted {each['restartCount']} times, last after exit code "
                f"{ended.get('exitCode')}, {reason}"
            )


def _containers(status: Mapping[str, list[Object]]) -> list[Object]:
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _is_ready(status: Object) -> bool:
    return any(each["type"] == "Ready" and each["status"] == "True" for each in status.get("conditions") or [])
