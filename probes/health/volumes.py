"""Health of PersistentVolumeClaims, and the free space of volumes as far as kubelets report it."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Final

from probes.health.check import concurrently
from probes.health.finding import Finding, State, critical, ok
from probes.kubernetes_api import KubernetesApi, KubernetesError, Object
from probes.namespace_causes import NamespaceCauses

NEARLY_FULL: Final = 0.90
"""Fraction of used space from which a volume is a warning."""
FULL: Final = 0.97
"""Fraction of used space from which a volume is a failure: applications soon cannot write."""

_LIMIT: Final = 15.0
"""Seconds for the statistics of all kubelets: one that does not answer must not delay the check."""

_RUNBOOK: Final = "docs/runbooks/volumes.md"

Usage = Mapping[str, tuple[int, int]]
"""Used bytes and capacity in bytes, by volume."""


def claims(client: KubernetesApi) -> Iterator[Finding]:
    """Check that the claims that pods use are bound.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    found = client.items("/api/v1/persistentvolumeclaims")
    wrong = list(_not_bound(found, client.items("/api/v1/pods")))
    for claim in wrong:
        namespace, name = claim["metadata"]["namespace"], claim["metadata"]["name"]
        reasons = NamespaceCauses.read(client, namespace).of("PersistentVolumeClaim", name)
        phase = claim["status"].get("phase", "Pending")
        yield critical(
            f"claim {namespace}/{name}",
            "\n".join([f"is {phase}", *reasons]),
            f"`kubectl -n {namespace} describe pvc {name}`; {_RUNBOOK}",
            because_of=("Cinder", "quotas"),
        )
    if not wrong:
        yield ok("claims", f"{len(found)} bound" if found else "none")


def _not_bound(claims: Iterable[Object], pods: Iterable[Object]) -> Iterator[Object]:
    """Yield claims that are lost, and pending ones that a pod uses; a volume may be created for the first pod only."""
    used = {
        (pod["metadata"]["namespace"], volume["persistentVolumeClaim"]["claimName"])
        for pod in pods
        for volume in pod["spec"].get("volumes") or []
        if "persistentVolumeClaim" in volume
    }
    for each in claims:
        at = each["metadata"]["namespace"], each["metadata"]["name"]
        if each["status"].get("phase") == "Lost" or (each["status"].get("phase") != "Bound" and at in used):
            yield each


def space(client: KubernetesApi) -> Iterator[Finding]:
    """Check the free space of claims and NFS exports that pods mount.

    The kubelets' statistics are read through the API server. A kubelet that does not provide them is ignored.

    Args:
        client: Client for the cluster.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    names = [each["metadata"]["name"] for each in client.items("/api/v1/nodes")]
    answers = concurrently([partial(_summary, client, name) for name in names], _LIMIT)
    exports = _exports(client.items("/api/v1/pods"))
    used: dict[str, tuple[int, int]] = {}
    for summary in filter(None, answers):
        used.update(usage(summary, exports))
    if not used:
        yield ok("free space", "not known: no kubelet reports volumes")
    else:
        yield from judge_space(used)


def usage(summary: Object, exports: Mapping[tuple[str, str, str], str]) -> Usage:
    """Return the usage of claims and NFS exports in a kubelet's statistics.

    Args:
        summary: Response of a kubelet's ``/stats/summary``.
        exports: Exported path by namespace, pod and volume.
    """
    found: dict[str, tuple[int, int]] = {}
    for pod in summary.get("pods") or []:
        namespace, name = pod["podRef"]["namespace"], pod["podRef"]["name"]
        for volume in pod.get("volume") or []:
            claim, export = volume.get("pvcRef"), exports.get((namespace, name, volume.get("name", "")))
            about = f"claim {claim['namespace']}/{claim['name']}" if claim else f"export {export}" if export else None
            if about and volume.get("capacityBytes"):
                # Of a file system that reserves blocks, those are not available either.
                available = volume.get("availableBytes", 0)
                found[about] = (volume["capacityBytes"] - available, volume["capacityBytes"])
    return found


def judge_space(used: Usage) -> Iterator[Finding]:
    """Yield the findings about the free space of volumes."""
    full = False
    for about, (taken, capacity) in sorted(used.items()):
        fraction = taken / capacity
        if fraction >= NEARLY_FULL:
            full = True
            yield Finding(
                subject=f"free space of {about}",
                state=State.CRITICAL if fraction >= FULL else State.WARNING,
                message=f"{fraction:.0%} of {capacity / 2**30:.1f} GiB used",
                remedy=f"delete files, or grow the volume: {_RUNBOOK}",
            )
    if not full:
        fraction, fullest = max((taken / capacity, about) for about, (taken, capacity) in used.items())
        yield ok("free space", f"{len(used)} volumes known, the fullest {fraction:.0%} ({fullest})")


def _summary(client: KubernetesApi, node: str) -> Object | None:
    try:
        return client.get(f"/api/v1/nodes/{node}/proxy/stats/summary")
    except KubernetesError:
        return None


def _exports(pods: Iterable[Object]) -> dict[tuple[str, str, str], str]:
    found: dict[tuple[str, str, str], str] = {}
    for pod in pods:
        for volume in pod["spec"].get("volumes") or []:
            if nfs := volume.get("nfs"):
                found[pod["metadata"]["namespace"], pod["metadata"]["name"], volume["name"]] = nfs["path"]
    return found
