"""A TCP proxy in front of the Kubernetes APIs that breaks connections at random.

Clients authenticate to the Kubernetes API with a certificate, so that only they and the API can read the requests. The
provider sends all requests of a run through one connection (HTTP/2), and a broken one fails those in progress. Each
connection is therefore broken after a random number of bytes, if it lives that long.

What happens to a connection follows from the seed and its number. The order in which clients connect may differ between
runs, so that a seed does not repeat the faults exactly.
"""

import contextlib
import math
import random
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from socketserver import BaseRequestHandler, ThreadingTCPServer
from typing import Final

from sandbox.ports import CLUSTER_PORTS, LOOPBACK
from tests.faults.proxy import DELAY, Fault, Injected
from tests.serving import serving

_API: Final = re.compile(rf"https://{re.escape(LOOPBACK)}:(\d+)")
_SHORTEST, _LONGEST = 18, 22
"""Binary logarithm of the bytes of answers after which a connection is lost. Each run reads the API's schema first, in
which a connection is lost that does not live longer than 256 KiB."""
_CHUNK: Final = 65536


@dataclass
class TcpProxy:
    """The proxy, which has a port for each API; it runs within a `running` block."""

    injected: list[Injected]
    """List to which the faults are added."""
    seed: str
    rate: float
    """Fraction of connections that are closed at once, or delayed."""
    connections: int = 0
    """Number of connections so far."""
    _ports: dict[int, int] = field(default_factory=dict)
    _servers: ExitStack = field(default_factory=ExitStack)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator["TcpProxy"]:
        """Accept connections for the ``with`` block."""
        with self._servers:
            yield self

    def through(self, text: str) -> str:
        """Return a text with the addresses of the Kubernetes APIs replaced by those of the proxy."""
        return _API.sub(lambda found: f"https://{LOOPBACK}:{self._through(int(found[1]))}", text)

    def _through(self, port: int) -> int:
        with self._lock:
            if port in CLUSTER_PORTS and port not in self._ports:
                server = self._servers.enter_context(serving(_Server(self, port)))
                self._ports[port] = server.server_address[1]
            return self._ports.get(port, port)

    def decide(self) -> tuple[Fault | None, int]:
        """Return what happens to the next connection, and the number of bytes after which it is lost."""
        with self._lock:
            self.connections += 1
            chance = random.Random(f"{self.seed} connection {self.connections}")  # noqa: S311 - not for secrets
            limit = int(2 ** chance.uniform(_SHORTEST, _LONGEST))
            fails = chance.random() < self.rate
            return (chance.choice((Fault.DROPPED, Fault.DELAYED)) if fails else None), limit


class _Server(ThreadingTCPServer):
    """A server in place of one API."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: TcpProxy, port: int) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.proxy, self.target = proxy, (LOOPBACK, port)

    def inject(self, fault: Fault, what: str) -> None:
        address = f"https://{LOOPBACK}:{self.server_address[1]}"
        self.proxy.injected.append(Injected("kubernetes", f"connection{what}", "", fault, address))

    def handle_error(self, *_: object) -> None:
        """Ignore clients that have disconnected."""


class _Handler(BaseRequestHandler):
    request: socket.socket
    server: _Server

    def handle(self) -> None:
        fault, limit = self.server.proxy.decide()
        if fault:
            self.server.inject(fault, "")
        if fault is Fault.DROPPED:
            return  # which closes the connection
        time.sleep(DELAY if fault is Fault.DELAYED else 0)
        with socket.create_connection(self.server.target) as api:
            sending = threading.Thread(target=_forward, args=(self.request, api), daemon=True)
            sending.start()
            _forward(api, self.request, limit, lambda: self.server.inject(Fault.LOST, f" after {limit} bytes"))
            sending.join()


def _forward(
    source: socket.socket, target: socket.socket, limit: float = math.inf, reached: Callable[[], None] = lambda: None
) -> None:
    """Forward all bytes, or a number of them, and end both connections.

    Args:
        source: Connection to read from.
        target: Connection to write to.
        limit: Maximum number of bytes.
        reached: Called when that many were forwarded.
    """
    with contextlib.suppress(OSError):
        while limit and (received := source.recv(int(min(_CHUNK, limit)))):
            target.sendall(received)
            limit -= len(received)
    if not limit:
        reached()
    for each in (source, target):
        with contextlib.suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
