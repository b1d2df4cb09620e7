"""Host processes for Pods: KWOK only simulates that a Pod runs, and for some Pods a real process is needed."""

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
    """Return the simulated operator, with nothing but the Pod's environment and service account."""
    environment = {**pods.environment(kube, pod), "KUBECONFIG": str(pods.kubeconfig(kube, directory, pod))}
    return directory.own_process(OPERATOR, environment)


ROLES: Final[Mapping[str, Callable[[Kube, ClusterDirectory, Object], Process]]] = {
    "argocd-redis": argocd.redis,
    "argocd-repo-server": argocd.repo_server,
    "argocd-application-controller": argocd.application_controller,
    "argocd-server": argocd.server,
    OPERATOR: _vault_secrets_operator,
}
"""Functions that return the process, by the Pod's label `app.kubernetes.io/name`, which is also the process's name."""


class PodRoles:
    """The host processes for a cluster's Pods."""

    def __init__(self, kube: Kube, directory: ClusterDirectory) -> None:
        self._kube = kube
        self._directory = directory
        self._logged: dict[str, str] = {}

    def reconcile(self, every: list[Object]) -> None:
        """Start or restart the process of each running Pod that has one, and stop processes without a Pod."""
        for name, make in ROLES.items():
            pod = pods.running(every, name)
            if pod is None:
                self._directory.process(name).stop()
                continue
            try:
                started = make(self._kube, self._directory, pod).start()
            except (KubeError, SandboxError, pods.PodNotReadyError) as error:
                self._log(name, str(error))
            else:
                if started:
                    self._log(name, f"started for Pod {pod['metadata']['name']}")

    def _log(self, name: str, message: str) -> None:
        """Log a message unless it is the same as the last one of the process."""
        if self._logged.get(name) != message:
            self._logged[name] = message
            _log.info("%s: %s", name, message)
