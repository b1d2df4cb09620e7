"""The one table of the ports that the sandbox listens on, and who holds a port that is taken."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from sandbox.errors import SandboxError

LOOPBACK: Final = "127.0.0.1"
"""The only address that anything of the sandbox listens on."""


class Port(IntEnum):
    """A TCP port on 127.0.0.1: each service's usual one, so that every client's default fits."""

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
    GLANCE = 9292
    MAGNUM = 9511
    NEUTRON = 9696
    OCTAVIA = 9876
    MEMCACHED = 11211
    RABBITMQ_DISTRIBUTION = 25672

    @property
    def url(self) -> str:
        """The service's address for HTTP clients, without a path."""
        return f"http://{LOOPBACK}:{self.value}"


CLUSTER_PORTS: Final = range(20000, 25000)
"""Ports of the Kubernetes clusters."""

CLUSTER_BLOCK: Final = 20
"""How many neighbouring ports of `CLUSTER_PORTS` one cluster takes."""

_IN_THE_WAY: Final = {LOOPBACK, "0.0.0.0", "::"}  # noqa: S104 - recognised, not bound


@dataclass(frozen=True, kw_only=True)
class Listener:
    """A process that listens on a TCP port."""

    port: int
    pid: int | None
    """None where the kernel does not say, as for a process of another user."""
    name: str

    def __str__(self) -> str:
        """For example `port 5000 is held by python3 (pid 4242)`."""
        owner = f"{self.name} (pid {self.pid})" if self.pid else "a process that only root may see"
        return f"port {self.port} is held by {owner}"


def listeners(ports: Iterable[int]) -> list[Listener]:
    """The processes that listen on any of `ports` where they would be in the sandbox's way, by port."""
    import psutil  # noqa: PLC0415 - only who asks pays for it

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
    """Refuse to start while something else listens on one of `ports`.

    Args:
        ports: Ports about to be used.
        ours: Session ids whose processes may hold them: the sandbox's own, already running.

    Raises:
        SandboxError: Naming each port that is taken, with its owner's name and process id.
    """
    sessions = set(ours)
    strangers = [each for each in listeners(ports) if each.pid is None or _session(each.pid) not in sessions]
    if strangers:
        raise SandboxError(
            "; ".join(map(str, strangers)) + ". Stop it (or them) and run the same command again: "
            "the sandbox uses each service's usual port."
        )


def _session(pid: int) -> int | None:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return None
