"""Verify that claims of applications are bound to the volumes that the stack's file assigns to them.

A claim that existed before its PersistentVolume keeps its previous volume.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import pulumi

from components.persistent_volumes import name_of
from config.applications import ApplicationsSettings
from phalanx.errors import PhalanxError
from probes.kubernetes_api import KubernetesApi, claim_path
from program.errors import user_errors
from program.hooks import in_thread
from program.waiting import last_answer
from wiring.claimed_volumes import ClaimedVolume

_PATIENCE: Final = 60
"""Seconds to wait until Kubernetes has bound a claim, which it does at once."""
_PAUSE: Final = 1
"""Seconds between two queries."""


class WrongVolumeError(PhalanxError):
    """A claim is not bound to its volume."""


def verify(
    cluster: str,
    volumes: Iterable[ClaimedVolume],
    settings: ApplicationsSettings,
    kubeconfig: pulumi.Output[str],
    deployed: Mapping[str, pulumi.Resource],
) -> None:
    """Fail if a claim is bound to another volume, or, after an update, to none.

    Every run checks this, also a preview: without changes, no hook of a resource is called. A claim of an application
    that the operator syncs, or that may stay unhealthy, need not exist, nor be bound.

    Args:
        cluster: Name of the cluster in the configuration.
        volumes: The volumes and their claims.
        settings: Settings of the applications.
        kubeconfig: Kubeconfig of the cluster (secret).
        deployed: Resource that is complete once the run has deployed an application, by application.
    """
    for each in volumes:
        complete = settings.synced_and_awaited(each.application) and not pulumi.runtime.is_dry_run()
        known = pulumi.Output.all(kubeconfig, deployed[each.application].urn)
        known.apply(partial(_verify, f"rsp:clusters.{cluster}.claims.{each.claim}", each, complete))


async def _verify(key: str, claimed: ClaimedVolume, complete: bool, known: Sequence[Any]) -> Any:
    with user_errors():
        problem = await in_thread(_find_problem, KubernetesApi(str(known[0])), claimed, complete=complete)
        if problem:
            raise WrongVolumeError(f"{key}: {problem}")


def _find_problem(kubernetes: KubernetesApi, claimed: ClaimedVolume, *, complete: bool) -> str:
    """Return why a claim does not have its volume; empty if it has, or if it may still get it."""
    path, volume = claim_path(claimed.namespace, claimed.name), name_of(claimed.volume)

    def bound() -> str:
        spec = (kubernetes.get(path) or {}).get("spec") or {}
        return str(spec.get("volumeName") or "")

    found = last_answer(bound, bool, patience=_PATIENCE if complete else 0, pause=_PAUSE)
    if found and found != volume and _cinder_volume(kubernetes, found) != claimed.volume:
        return (
            f"the claim is bound to {found}, not to {volume}: exchange them as in docs/runbooks/volumes.md, `Bind a "
            "retained volume again`, or remove the key"
        )
    if not found and complete:
        return (
            f"the claim is not bound to {volume}: `kubectl describe pv {volume}` has the reason. If it is Released, "
            f"""`kubectl patch pv {volume} --type=merge --patch='{{"spec": {{"claimRef": {{"uid": null}}}}}}'` makes """
            "it available to the claim again"
        )
    return ""


def _cinder_volume(kubernetes: KubernetesApi, name: str) -> str:
    """Return the ID of the Cinder volume of a PersistentVolume, which somebody may have created by hand."""
    volume = kubernetes.get(f"/api/v1/persistentvolumes/{quote(name)}") or {}
    return str(((volume.get("spec") or {}).get("csi") or {}).get("volumeHandle") or "")
