"""Port blocks of clusters, in the range that `sandbox.ports` reserves."""

import fcntl
from enum import IntEnum
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.files import write_atomically
from sandbox.ports import CLUSTER_BLOCK, CLUSTER_PORTS, listeners


class Offset(IntEnum):
    """Offset of a port in a cluster's block."""

    KUBE_APISERVER = 0
    ETCD_CLIENT = 1
    ETCD_PEER = 2
    KUBE_CONTROLLER_MANAGER = 3
    KUBE_SCHEDULER = 4
    KWOK = 5
    REDIS = 6
    ARGOCD_REPO_SERVER = 7
    ARGOCD_SERVER = 8
    ARGOCD_REPO_SERVER_METRICS = 9
    ARGOCD_CONTROLLER_METRICS = 10
    ARGOCD_SERVER_METRICS = 11


def first_port(directory: Path) -> int:
    """Return the first port of a cluster's block; the first call reserves a free block for the cluster.

    Raises:
        SandboxError: All blocks are in use.
    """
    record = directory / "first_port"
    if record.exists():
        return int(record.read_text())
    with (directory.parent / ".ports.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        port = _free_block(directory.parent)
        write_atomically(record, f"{port}\n")
    return port


def _free_block(clusters: Path) -> int:
    taken = {int(record.read_text()) for record in clusters.glob("*/first_port")}
    taken |= {each.port - (each.port - CLUSTER_PORTS.start) % CLUSTER_BLOCK for each in listeners(CLUSTER_PORTS)}
    for port in range(CLUSTER_PORTS.start, CLUSTER_PORTS.stop, CLUSTER_BLOCK):
        if port not in taken:
            return port
    raise SandboxError(f"all blocks of {CLUSTER_BLOCK} ports in {CLUSTER_PORTS} are in use: delete a cluster")
