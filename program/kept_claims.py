"""Keep the claims of applications that no run syncs and waits for.

Argo CD deletes a claim with its Application, or when the chart no longer contains it, unless the claim has the
annotations `KEPT`. The claims of all other applications get them as resources. The claims handled here may not exist,
or not yet: the operator has not synced them, or the Application, which need not be healthy, lacks them.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from operator import not_
from typing import Any, Final
from urllib.parse import quote

import pulumi

from components.applications import KEPT
from config.applications import ApplicationsSettings, SyncMode
from phalanx.claims import Claim
from probes.kubernetes_api import KubernetesApi
from program.errors import user_errors
from program.hooks import in_thread
from program.waiting import last_answer

PATIENCE: Final = 120
"""Seconds to wait for claims that Argo CD creates in a sync of its own, which follows the change of the Application."""

_PAUSE: Final = 1
"""Seconds between two queries."""


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
    unattended: dict[str, list[Claim]] = {}
    for each in claims:
        if each.deletable and not settings.attended(each.application):
            unattended.setdefault(each.application, []).append(each)

    for name, found in unattended.items():
        patience = 0 if settings.sync_of(name) is SyncMode.MANUAL else PATIENCE
        known = pulumi.Output.all(kubeconfig, deployed[name].urn)
        known.apply(partial(_keep, name, found, patience))


async def _keep(application: str, claims: Sequence[Claim], patience: float, known: Sequence[Any]) -> Any:
    with user_errors():
        missing = await in_thread(_annotate, str(known[0]), claims, patience)
    if missing:
        pulumi.warn(
            f"{application}: {', '.join(missing)}: no such PersistentVolumeClaim yet. Once there is, the next `pulumi "
            "up` marks it as one that Argo CD must not delete with the application"
        )


def _annotate(kubeconfig: str, claims: Iterable[Claim], patience: float) -> list[str]:
    """Annotate claims, and return namespace and name of those that do not exist."""
    cluster = KubernetesApi(kubeconfig)
    missing = {
        f"{each.namespace}/{each.name}": f"/api/v1/namespaces/{quote(each.namespace)}/persistentvolumeclaims/"
        f"{quote(each.name)}"
        for each in claims
    }

    def annotate() -> list[str]:
        for name, path in list(missing.items()):
            if found := cluster.get(path):
                del missing[name]
                if not (found["metadata"].get("annotations") or {}).items() >= KEPT.items():
                    cluster.merge(path, {"metadata": {"annotations": dict(KEPT)}})
        return list(missing)

    return last_answer(annotate, not_, patience=patience, pause=_PAUSE)
