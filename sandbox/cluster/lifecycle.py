"""Brings clusters up and down, and mends what died."""

from collections.abc import Iterator
from dataclasses import dataclass

from sandbox import tools
from sandbox.cluster import cloud_controller, control_plane, nodes, rbac
from sandbox.cluster.directory import ClusterDirectory, clusters
from sandbox.files import write_atomically
from sandbox.process import Process, wait_for

NODE_SECONDS = 120
STOP_FIRST = ("agent", cloud_controller.NAME)
"""What would start processes or change the cloud while the rest ends."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """A process of a cluster, for a table of what runs."""

    cluster: str
    """Magnum's name of the cluster."""
    process: Process
    version: str | None
    """Version of the tool; None for the sandbox's own programs."""


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
    directory.own_process("agent").start()
    wait_for(lambda: nodes.all_ready(kube), "every node is Ready", timeout=NODE_SECONDS)
    write_atomically(directory.path / "api_address", f"{directory.api_url}\n")


def down(directory: ClusterDirectory) -> None:
    """Stop every process of a cluster; its data stay."""
    for name in STOP_FIRST:
        directory.process(name).stop()
    running = directory.running()
    for process in running:
        process.ask_to_stop()
    for process in running:
        process.stop()


def repair() -> None:
    """Bring every cluster up that was up: after a crash, or a `down` of the whole sandbox.

    Raises:
        SandboxError: A cluster does not come up.
    """
    for directory in clusters():
        if (directory.path / "api_address").exists():
            up(directory)


def stop_all() -> None:
    """Stop the processes of every cluster."""
    for directory in clusters():
        down(directory)


def services() -> Iterator[Service]:
    """Every process of every cluster, whether it runs or has died."""
    for directory in clusters():
        for process in directory.running():
            yield Service(
                cluster=directory.description.name,
                process=process,
                version=tools.VERSIONS.get(process.name),
            )
