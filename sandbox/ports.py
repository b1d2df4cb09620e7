"""TCP ports that the sandbox listens on, and detection of processes that occupy them."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sandbox.errors import SandboxError

LOOPBACK: Final = "127.0.0.1"
"""The only address that processes of the sandbox listen on."""


class Port(IntEnum):
    """A TCP port on 127.0.0.1. Each service uses its default port, so that clients need no configuration."""

    MARIADB = 3306
    EPMD = 4369
    KEYSTONE = 5000
    RABBITMQ = 5672
    SWIFT_OBJECT = 6200
    SWIFT_CONTAINER = 6201
    SWIFT_ACCOUNT = 6202
    OVN_NORTHBOUND = 6641
    OVN_SOUTHBOUND = 6642
    SWIFT = 8080
    VAULT = 8200
    VAULT_CLUSTER = 8201
    NOVA = 8774
    CINDER = 8776
    PLACEMENT = 8778
    MANILA = 8786
    GLANCE = 9292
    MAGNUM = 9511
    NEUTRON = 9696
    OCTAVIA = 9876
    MEMCACHED = 11211
    RABBITMQ_DISTRIBUTION = 25672

    @property
    def url(self) -> str:
        """The service's base URL, without a path."""
        return f"http://{LOOPBACK}:{self.value}"


CLUSTER_PORTS: Final = range(20000, 25000)
"""Port range of the Kubernetes clusters."""

CLUSTER_BLOCK: Final = 20
"""Number of consecutive ports in `CLUSTER_PORTS` that one cluster uses."""

_IN_THE_WAY: Final = {LOOPBACK, "0.0.0.0", "::"}  # noqa: S104 - recognized, not bound


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A process that listens on a TCP port."""

    port: int
    pid: int | None
    """Process id; None if the kernel hides it, as for a process of another user."""
    name: str

    def __str__(self) -> str:
        """Return, for example, `port 5000 is in use by python3 (pid 4242)`."""
        owner = f"{self.name} (pid {self.pid})" if self.pid else "a process that is visible to root only"
        return f"port {self.port} is in use by {owner}"


def listeners(ports: Iterable[int]) -> list[Listener]:
    """Return the processes that listen on any of `ports` at an address that conflicts with the sandbox, by port."""
    import psutil

    wanted = set(ports)
    found: dict[int, Listener] = {}
    for connection in psutil.net_connections(kind="tcp"):
        if connection.status != psutil.CONN_LISTEN or not connection.laddr:
            continue
        address, port = connection.laddr
        if port not in wanted or address not in _IN_THE_WAY:
            continue
        try:
            name = psutil.Process(connection.pid).name() if connection.pid else "unknown"
        except psutil.NoSuchProcess:
            continue
        found[port] = Listener(port=port, pid=connection.pid, name=name)
    return [found[port] for port in sorted(found)]


def require_free(ports: Iterable[int], ours: Iterable[int] = ()) -> None:
    """Check that no other process listens on any of `ports`.

    Args:
        ports: Ports that are about to be used.
        ours: Ids of the sandbox's running sessions, whose processes may use the ports.

    Raises:
        SandboxError: Ports are in use; the message names each port, process and process id.
    """
    sessions = set(ours)
    strangers = [each for each in listeners(ports) if each.pid is None or _session(each.pid) not in sessions]
    if strangers:
        raise SandboxError(
            "; ".join(map(str, strangers)) + ". Stop the process and run the same command again: "
            "the sandbox uses each service's default port."
        )


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
