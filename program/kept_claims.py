"""Keep Argo CD from deleting claims with their Application, or when a chart no longer contains them.

Argo CD reads the annotations `KEPT` from the live object, and does not revert annotations that are not in the chart. A
resource with them would be unchanged when a claim was deleted and created again, and lacks them. A claim need not exist
yet: perhaps the operator has not synced its Application, or that may stay unhealthy.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any, Final
from urllib.parse import quote

import pulumi

from components.argocd import ARGOCD
from config.applications import ApplicationsSettings, SyncMode
from phalanx.claims import Claim
from probes.kubernetes_api import KubernetesApi, Object, claim_path
from program.errors import user_errors
from program.hooks import in_thread
from program.waiting import last_answer

KEPT: Final[Mapping[str, str]] = {
    "argocd.argoproj.io/sync-options": "Prune=false,Delete=false",
    "argocd.argoproj.io/compare-options": "IgnoreExtraneous",
}
"""Annotations that keep Argo CD from deleting a claim, and from reporting its Application as OutOfSync
(https://argo-cd.readthedocs.io/en/stable/user-guide/sync-options/)."""

PATIENCE: Final = 120
"""Maximum number of seconds to wait for the sync in which Argo CD creates the claims of an Application that is not
awaited."""

_PAUSE: Final = 1
"""Seconds between two queries."""

_ENDED: Final = frozenset({"Succeeded", "Failed", "Error"})
"""Phases of an operation that is over. While Argo CD has retries left, the phase is Running."""


def keep(
    settings: ApplicationsSettings,
    claims: Iterable[Claim],
    kubeconfig: pulumi.Output[str],
    deployed: Mapping[str, pulumi.Resource],
) -> None:
    """Annotate the existing claims in each update, and warn about those that do not exist.

    Args:
        settings: Settings of the applications.
        claims: Claims of the applications' charts.
        kubeconfig: Kubeconfig of the cluster (secret).
        deployed: Resource that is complete once the run has deployed the application, by application.
    """
    if pulumi.runtime.is_dry_run():
        return
    deletable: dict[str, list[Claim]] = {}
    for each in claims:
        if each.deletable:
            deletable.setdefault(each.application, []).append(each)

    for name, found in deletable.items():
        synced_later = name in settings.not_awaited and settings.sync_of(name) is not SyncMode.MANUAL
        patience = PATIENCE if synced_later else 0
        known = pulumi.Output.all(kubeconfig, deployed[name].urn)
        known.apply(partial(_keep, name, found, patience))


async def _keep(application: str, claims: Sequence[Claim], patience: float, known: Sequence[Any]) -> Any:
    with user_errors():
        missing = await in_thread(_annotate, application, str(known[0]), claims, patience)
    if missing:
        pulumi.warn(
            f"{application}: {', '.join(missing)}: no such PersistentVolumeClaim yet. Once there is, the next `pulumi "
            "up` marks it as one that Argo CD must not delete with the application"
        )


def _annotate(application: str, kubeconfig: str, claims: Iterable[Claim], patience: float) -> list[str]:
    """Annotate claims, and return namespace and name of those that do not exist."""
    cluster = KubernetesApi(kubeconfig)
    path_of_application = f"/apis/argoproj.io/v1alpha1/namespaces/{ARGOCD}/applications/{quote(application)}"
    missing = {f"{each.namespace}/{each.name}": claim_path(each.namespace, each.name) for each in claims}

    def annotate() -> bool:
        # Before the claims: a sync that has ended then has created all that it will.
        over = patience <= 0 or _is_over(cluster.get(path_of_application))
        for name, path in list(missing.items()):
            if found := cluster.get(path):
                del missing[name]
                if not (found["metadata"].get("annotations") or {}).items() >= KEPT.items():
                    cluster.merge(path, {"metadata": {"annotations": dict(KEPT)}})
        return over or not missing

    last_answer(annotate, bool, patience=patience, pause=_PAUSE)
    return list(missing)


def _is_over(application: Object | None) -> bool:
    """Return whether Argo CD has synced the Application as it is now, or given up, so that no claim will be created."""
    if application is None or application.get("operation"):
        return False
    source, status = application["spec"].get("source"), application.get("status") or {}
    sync, operation = status.get("sync") or {}, status.get("operationState") or {}
    if (sync.get("comparedTo") or {}).get("source") != source:
        return False
    result = operation.get("syncResult") or {}
    synced = (result.get("source"), result.get("revision")) == (source, sync.get("revision"))
    return sync.get("status") == "Synced" or (synced and operation.get("phase") in _ENDED)
