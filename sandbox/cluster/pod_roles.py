"""Host processes in the role of Pods.

KWOK only says that a Pod runs; for these Pods a process of this host runs as long as it says so.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.cluster import argocd, pods
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, Object
from sandbox.errors import SandboxError
from sandbox.process import Process

_log = logging.getLogger(__name__)

OPERATOR: Final = "vault-secrets-operator"


def _vault_secrets_operator(kube: Kube, directory: ClusterDirectory, pod: Object) -> Process:
    """Our stand-in for the operator, which reads Vault with nothing but what the Pod was given."""
    environment = {**pods.environment(kube, pod), "KUBECONFIG": str(pods.kubeconfig(kube, directory, pod))}
    return directory.own_process(OPERATOR, environment)


ROLES: Final[Mapping[str, Callable[[Kube, ClusterDirectory, Object], Process]]] = {
    "argocd-redis": argocd.redis,
    "argocd-repo-server": argocd.repo_server,
    "argocd-application-controller": argocd.application_controller,
    "argocd-server": argocd.server,
    OPERATOR: _vault_secrets_operator,
}
"""By the Pod's label `app.kubernetes.io/name`, which is the process's name, too."""


def reconcile(kube: Kube, directory: ClusterDirectory, all_pods: list[Object]) -> None:
    """Start a process for each Pod that has a role, restart what died or changed, stop what has no Pod any more."""
    for name, make in ROLES.items():
        pod = pods.running(all_pods, name)
        if pod is None:
            directory.process(name).stop()
            continue
        try:
            if make(kube, directory, pod).start():
                _log.info("%s: started for Pod %s", name, pod["metadata"]["name"])
        except (SandboxError, pods.PodNotReadyError) as error:
            _log.warning("%s: %s", name, error)
