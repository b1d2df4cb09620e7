"""Brings clusters up and down, and mends what died."""

from collections.abc import Iterator
from typing import Final

from sandbox import tools
from sandbox.cluster import cloud_controller, control_plane, nodes, rbac
from sandbox.cluster.directory import ClusterDirectory, clusters
from sandbox.cluster.port_block import Offset
from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.process import Process, memory, wait_for
from sandbox.status import Row, State

NODE_SECONDS: Final = 120
STOP_FIRST: Final = frozenset({"agent", cloud_controller.NAME})
"""What would start processes or change the cloud while the rest ends."""
STOP_LAST: Final = frozenset({"etcd"})
"""What the API server wants to write to until its end."""

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
"""The port by which each process is known."""


def up(directory: ClusterDirectory) -> None:
    """Bring a cluster to its description: start what lacks, restart what changed, register and remove nodes.

    Raises:
        SandboxError: It cannot be done; the message tells why.
    """
    control_plane.check_version(directory.description)
    kube = control_plane.start(directory)
    rbac.apply(kube)
    control_plane.start_kwok(directory)
    nodes.sync(kube, directory.description)
    cloud_controller.start(directory)
    directory.own_process("agent", config=(directory.kubeconfig("admin"),)).start()
    wait_for(lambda: nodes.all_ready(kube), "every node is Ready", timeout=NODE_SECONDS)
    write_atomically(directory.path / "api_address", f"{directory.api_url}\n")


def down(directory: ClusterDirectory) -> None:
    """Stop every process of a cluster; its data stay."""
    _stop([process for process in directory.recorded() if process.name in STOP_FIRST])
    _stop([process for process in directory.recorded() if process.name not in STOP_LAST])
    _stop(directory.recorded())


def repair() -> None:
    """Bring every cluster up that was up: after a crash, or a `down` of the whole sandbox.

    Raises:
        SandboxError: Clusters that do not come up, after the others have.
    """
    failures = []
    for directory in clusters():
        if (directory.path / "api_address").exists():
            try:
                up(directory)
            except SandboxError as error:
                failures.append(f"cluster {directory.description.name}: {error}")
    if failures:
        raise SandboxError("\n".join(failures))


def stop_all() -> None:
    """Stop the processes of every cluster."""
    for directory in clusters():
        down(directory)


def services() -> Iterator[Row]:
    """A row for every process of every cluster that should run: `<cluster>/<process>`."""
    for directory in clusters():
        for process in directory.recorded():
            pid, offset = process.alive(), PORTS.get(process.name)
            yield Row(
                service=f"{directory.description.name}/{process.name}",
                state=State.RUNNING if pid else State.STOPPED,
                port=None if offset is None else directory.port(offset),
                pid=pid,
                version=tools.VERSIONS.get(process.name) or tools.VERSIONS.get(process.name.partition("-")[0], ""),
                memory=memory(pid) if pid else 0,
            )


def _stop(processes: list[Process]) -> None:
    """Stop processes at the same time, and wait until all have ended."""
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop()
