"""Health of Argo CD's Applications, with their pods, and of all other pods."""

from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final

from probes import explain_application
from probes.health import pods
from probes.health.check import concurrently
from probes.health.finding import Finding, State, critical
from probes.kubernetes_api import KubernetesApi, KubernetesError, Object

SYSTEM_NAMESPACES: Final = frozenset({"kube-system", "openstack-system", "calico-system", "tigera-operator"})
"""Namespaces of the cluster's own components."""

_APPLICATIONS: Final = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications"
_RUNBOOK: Final = "docs/runbooks/stuck-application.md"
_LIMIT: Final = 25.0
"""Seconds for the reasons of all Applications that are not healthy."""
_MAX_LINES: Final = 8
"""Maximum number of reasons reported for an Application."""

_STATES: Final = {
    "Healthy": State.OK,
    "Suspended": State.OK,
    "Progressing": State.WARNING,
    "Degraded": State.CRITICAL,
    "Missing": State.CRITICAL,
}


def subject(name: str) -> str:
    """Return the subject of the finding about an Application."""
    return f"application {name}"


def check(client: KubernetesApi, on: pods.Dependencies, load_balancer: str, now: datetime) -> Iterator[Finding]:
    """Check all Applications and pods.

    Args:
        client: Client for the cluster.
        on: What pods depend on.
        load_balancer: Subject of the finding about the load balancer of ingress-nginx.
        now: Current time.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    found = client.items(_APPLICATIONS)
    if not found:
        yield critical("applications", "Argo CD has no Applications", f"`pulumi up -s STACK`; {_RUNBOOK}")
    platform = {_namespace(each) for each in found} | SYSTEM_NAMESPACES
    of_pods = pods.check(client, on, platform, now)
    for findings in of_pods.values():
        yield from findings
    unhealthy = [each for each in found if state(each) is not State.OK]
    reasons = concurrently([partial(_explain, client, each["metadata"]["name"]) for each in unhealthy], _LIMIT)
    explained = {each["metadata"]["name"]: lines or [] for each, lines in zip(unhealthy, reasons, strict=True)}
    for each in found:
        reasons_of = explained.get(each["metadata"]["name"], [])
        yield judge(each, reasons_of, of_pods.get(_namespace(each), []), load_balancer)


def judge(found: Object, reasons: list[str], of_pods: list[Finding], load_balancer: str) -> Finding:
    """Return the finding about an Application.

    Args:
        found: The Application.
        reasons: Why it is not synced and healthy, a headline first.
        of_pods: Findings about its pods.
        load_balancer: Subject of the finding about the load balancer of ingress-nginx.
    """
    name, own = found["metadata"]["name"], state(found)
    worst = max([own, *(each.state for each in of_pods)], key=lambda each: each.severity)
    headline = _headline(found)
    if worst is State.OK:
        return Finding(subject=subject(name), message=headline, version=_images(found))
    lines = reasons[1:] or [line for each in of_pods for line in f"{each.subject}: {each.message}".splitlines()]
    message = "\n".join([headline, *(line.strip() for line in lines[:_MAX_LINES])])
    if len(lines) > _MAX_LINES:
        message += f"\n… and {len(lines) - _MAX_LINES} more lines"
    return Finding(
        subject=subject(name),
        state=worst,
        message=message,
        version=_images(found),
        remedy=f"`kubectl -n argocd get application {name} -o yaml`; {_RUNBOOK}",
        because_of=(load_balancer,) if any("no address assigned" in line for line in lines) else (),
        # Of an Application that cannot be synced, the pods are not the cause.
        parts=tuple(each.subject for each in of_pods) if not _sync_fails(found) else (),
    )


def state(found: Object) -> State:
    """Return the state of an Application by its sync and health, without its pods."""
    status = found.get("status") or {}
    health = _STATES.get((status.get("health") or {}).get("status") or "", State.CRITICAL)
    sync = (status.get("sync") or {}).get("status")
    if _sync_fails(found):
        return State.CRITICAL
    return max(health, State.OK if sync == "Synced" else State.WARNING, key=lambda each: each.severity)


def _sync_fails(found: Object) -> bool:
    status = found.get("status") or {}
    sync = (status.get("sync") or {}).get("status")
    errors = any(each["type"].endswith("Error") for each in status.get("conditions") or [])
    failed = (status.get("operationState") or {}).get("phase") in {"Failed", "Error"}
    # The last operation may have failed before what it was about was synced.
    return errors or sync not in {"Synced", "OutOfSync"} or (failed and sync == "OutOfSync")


def _headline(found: Object) -> str:
    status = found.get("status") or {}
    sync = status.get("sync") or {}
    revision = sync.get("revision") or "no revision"
    health = (status.get("health") or {}).get("status", "unknown")
    return f"{sync.get('status', 'not compared')}, {health}, {revision[:8]}"


def _images(found: Object) -> str:
    """Return the names and tags of an Application's images; a digest is left out."""
    images = ((found.get("status") or {}).get("summary") or {}).get("images") or []
    return ", ".join(sorted({each.partition("@")[0].rpartition("/")[2] for each in images}))


def _namespace(application: Object) -> str:
    return str(application["spec"]["destination"].get("namespace") or "default")


def _explain(client: KubernetesApi, name: str) -> list[str]:
    try:
        return explain_application.explain(client, {"metadata": {"name": name}})
    except KubernetesError as error:
        return [str(error)]
