"""Host processes in the role of Pods.

KWOK only says that a Pod runs; for these Pods a process of this host runs as long as it says so.
"""

import logging
from collections.abc import Callable, Mapping
from typing import Final

from sandbox.cluster import argocd, pods
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, KubeError, Object
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


class PodRoles:
    """The processes in the role of a cluster's Pods."""

    def __init__(self, kube: Kube, directory: ClusterDirectory) -> None:
        self._kube = kube
        self._directory = directory
        self._said: dict[str, str] = {}

    def reconcile(self, every: list[Object]) -> None:
        """Start a process for each Pod that has a role, restart what died or changed, stop what has no Pod any more."""
        for name, make in ROLES.items():
            pod = pods.running(every, name)
            if pod is None:
                self._directory.process(name).stop()
                continue
            try:
                started = make(self._kube, self._directory, pod).start()
            except (KubeError, SandboxError, pods.PodNotReadyError) as error:
                self._say(name, str(error))
            else:
                if started:
                    self._say(name, f"started for Pod {pod['metadata']['name']}")

    def _say(self, name: str, message: str) -> None:
        """Log what is new; the same trouble comes back every few seconds until it is mended."""
        if self._said.get(name) != message:
            self._said[name] = message
            _log.info("%s: %s", name, message)
