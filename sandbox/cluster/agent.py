"""The agent of one cluster: simulates kubelets and add-ons in a loop."""

import logging
import time
from typing import Final

from sandbox.cluster import ingress_status, kubelet, nodes
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, KubeError
from sandbox.cluster.pod_roles import PodRoles

INTERVAL_SECONDS: Final = 1

_log = logging.getLogger(__name__)


def run(directory: ClusterDirectory) -> None:
    """Reconcile in a loop; errors of the API are logged, and the next iteration tries again."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    kube = Kube(directory.kubeconfig("admin"))
    roles = PodRoles(kube, directory)
    while True:
        try:
            pods = kube.list("/api/v1/pods")
            kubelet.reconcile(kube, pods)
            kubelet.report_ready(kube, pods, nodes.ready(kube))
            roles.reconcile(pods)
            ingress_status.reconcile(kube)
        except KubeError as error:
            _log.warning("%s", error)
        time.sleep(INTERVAL_SECONDS)
