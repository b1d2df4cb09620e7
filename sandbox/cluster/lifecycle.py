"""Starts, updates, repairs and stops clusters."""

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from sandbox import tools
from sandbox.cluster import cloud_controller, control_plane, nodes, rbac, storage_classes, volumes
from sandbox.cluster.description import DESCRIPTION
from sandbox.cluster.directory import ClusterDirectory, clusters
from sandbox.cluster.kube import KubeError
from sandbox.cluster.port_block import Offset
from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.process import memory, recorded, stop_concurrently, wait_for
from sandbox.status import Row, State

NODE_SECONDS: Final = 120
STOP_FIRST: Final = frozenset({"agent", cloud_controller.NAME, volumes.EXTERNAL_PROVISIONER})
"""Processes that would start others or change the cloud while the rest is stopped."""
STOP_LAST: Final = frozenset({"etcd"})
"""Processes that the API server writes to until it ends."""

PORTS: Final = {
    "etcd": Offset.ETCD_CLIENT,
    "kube-apiserver": Offset.KUBE_APISERVER,
    "kube-controller-manager": Offset.KUBE_CONTROLLER_MANAGER,
    "kube-scheduler": Offset.KUBE_SCHEDULER,
    "kwok": Offset.KWOK,
    "argocd-redis": Offset.REDIS,
    "argocd-repo-server": Offset.ARGOCD_REPO_SERVER,
    "argocd-server": Offset.ARGOCD_SERVER,
    "argocd-application-controller": Offset.ARGOCD_CONTROLLER_METRICS,
}
"""Port shown in `status` by process."""


def up(directory: ClusterDirectory) -> None:
    """Create or update a cluster according to its description; do nothing if it has been deleted in the meantime.

    Raises:
        SandboxError: The Kubernetes version is not available, or a component does not start.
        KubeError: The Kubernetes API refuses a request.
    """
    with _locked(directory):
        if (directory.path / DESCRIPTION).exists():
            _up(directory)


@contextmanager
def _locked(directory: ClusterDirectory) -> Iterator[None]:
    """Wait until no other process changes the cluster: `cloud up` and magnum-conductor may do so at the same time."""
    with (directory.path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _up(directory: ClusterDirectory) -> None:
    control_plane.check_version(directory.description)
    kube = control_plane.start(directory)
    rbac.apply(kube)
    storage_classes.create(kube, directory.description)
    control_plane.start_kwok(directory)
    nodes.sync(kube, directory.description)
    volumes.register_nodes(kube, directory.description)
    cloud_controller.start(directory)
    volumes.start(directory)
    directory.own_process("agent", config=(directory.kubeconfig("admin"), directory.pki / "admin.crt")).start()
    wait_for(lambda: nodes.all_ready(kube), "every node is Ready", timeout=NODE_SECONDS)
    write_atomically(directory.path / "api_address", f"{directory.api_url}\n")


def down(directory: ClusterDirectory, *, delete: bool = False) -> None:
    """Stop all processes of a cluster, and keep or delete its data."""
    with _locked(directory):
        stop_concurrently([process for process in recorded(directory.records) if process.name in STOP_FIRST])
        stop_concurrently([process for process in recorded(directory.records) if process.name not in STOP_LAST])
        stop_concurrently(recorded(directory.records))
        if delete:
            shutil.rmtree(directory.path)


def repair() -> None:
    """Start all clusters that were completely created before.

    Raises:
        SandboxError: Clusters that do not start; the others have been started.
    """
    failures = []
    for directory in clusters():
        if (directory.path / "api_address").exists():
            try:
                up(directory)
            except (SandboxError, KubeError) as error:
                failures.append(f"cluster {directory.description.name}: {error}")
    if failures:
        raise SandboxError("\n".join(failures))


def stop_all() -> None:
    """Stop the processes of all clusters."""
    for directory in clusters():
        down(directory)


def services() -> Iterator[Row]:
    """Yield a row named `<cluster>/<process>` for each recorded process of each cluster."""
    for directory in clusters():
        for process in recorded(directory.records):
            pid, offset = process.alive(), PORTS.get(process.name)
            yield Row(
                service=f"{directory.description.name}/{process.name}",
                state=State.RUNNING if pid else State.STOPPED,
                port=None if offset is None else directory.port(offset),
                pid=pid,
                version=tools.VERSIONS.get(process.name) or tools.VERSIONS.get(process.name.partition("-")[0], ""),
                memory=memory(pid) if pid else 0,
            )
