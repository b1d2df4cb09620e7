"""A reverse proxy in front of the cloud's APIs that injects faults at random, but repeatably.

A client needs only the proxy's address of Keystone: in all that passes, addresses of the services are replaced by those
of the proxy, also in Keystone's catalog and in links to the next page.

Whether a request fails follows from the seed, the request and how often it was sent before, not from the order in which
concurrent requests arrive.
"""

import random
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from typing import Final
from urllib.parse import urlsplit

import urllib3

from sandbox.ports import LOOPBACK
from tests.serving import Handler, serving

DELAY: Final = 3.0
"""Seconds by which an answer is delayed."""
RETRY_AFTER: Final = 1
"""Seconds that a response with status 429 asks the client to wait."""

_ID: Final = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
_OF_A_CONNECTION: Final = frozenset(
    {"accept-encoding", "connection", "content-length", "host", "keep-alive", "transfer-encoding"}
)
"""Headers that are not forwarded (RFC 9110, section 7.6.1); bodies must not be compressed."""
_TIMEOUT: Final = 300
"""Seconds until a service must answer."""


class Fault(Enum):
    """What happens to a request."""

    ERROR = HTTPStatus.INTERNAL_SERVER_ERROR
    UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE
    TOO_MANY = HTTPStatus.TOO_MANY_REQUESTS
    DROPPED = "the connection was closed before the service received it"
    LOST = "the connection was closed after the service had answered it"
    DELAYED = f"the answer was delayed by {DELAY:g} s"

    def __str__(self) -> str:
        """Return the fault in the words of a log."""
        return f"{self.value} {self.value.phrase}" if isinstance(self.value, HTTPStatus) else self.value


@dataclass(frozen=True)
class Injected:
    """A fault that was injected."""

    service: str
    method: str
    path: str
    fault: Fault
    address: str
    """Base URL of the proxy for the service."""

    def __str__(self) -> str:
        """Return one line of a log, without secrets."""
        return f"{self.service}: {self.method} {self.path}: {self.fault}"


@dataclass
class FaultProxy:
    """The proxy; it runs within a `running` block."""

    services: Mapping[str, str]
    """Base URLs of the services by name."""
    seed: str
    rate: float
    """Fraction of requests that fail."""
    addresses: dict[str, str] = field(default_factory=dict)
    """Base URLs of the proxy by service."""
    others: Callable[[str], str] = str
    """Replaces the addresses of other proxies' services in a text."""
    injected: list[Injected] = field(default_factory=list)
    """The faults, in order."""
    requests: int = 0
    """Number of requests so far."""
    _sent: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def running(self) -> Iterator["FaultProxy"]:
        """Run the proxy for the ``with`` block."""
        with ExitStack() as servers:
            for service, url in self.services.items():
                server = servers.enter_context(serving(_Server(self, service, url)))
                self.addresses[service] = f"http://{LOOPBACK}:{server.server_port}"
            yield self

    def through(self, text: str) -> str:
        """Return a text with the services' addresses replaced by those of the proxy."""
        for service, url in self.services.items():
            text = text.replace(url, self.addresses[service])
        return self.others(text)

    def decide(self, service: str, method: str, path: str) -> Fault | None:
        """Return what happens to the next such request; None if it is to be answered."""
        request = (service, method, _ID.sub("ID", path))
        with self._lock:
            self.requests += 1
            self._sent[request] += 1
            chance = random.Random(f"{self.seed} {request} {self._sent[request]}")  # noqa: S311 - not for secrets
            if chance.random() >= self.rate:
                return None
            fault = chance.choice(tuple(Fault))
            self.injected.append(Injected(service, method, path, fault, self.addresses.get(service, "")))
            return fault


class _Server(ThreadingHTTPServer):
    """A server in place of one service."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, proxy: FaultProxy, service: str, url: str) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.proxy, self.service = proxy, service
        self.pool = urllib3.connection_from_url(url, retries=False, timeout=_TIMEOUT, maxsize=20)

    def handle_error(self, *_: object) -> None:
        """Ignore clients that have disconnected."""


class _Handler(Handler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one_request(self) -> None:
        # Unlike the inherited method, it accepts all methods, such as Vault's LIST.
        self.raw_requestline = self.rfile.readline(65537)
        if not self.raw_requestline:
            self.close_connection = True
        elif self.parse_request():
            self._answer(self.rfile.read(int(self.headers.get("Content-Length") or 0)))

    def _answer(self, body: bytes) -> None:
        fault = self.server.proxy.decide(self.server.service, self.command, urlsplit(self.path).path)
        match fault:
            case Fault.ERROR | Fault.UNAVAILABLE | Fault.TOO_MANY:
                headers = {"Retry-After": str(RETRY_AFTER)} if fault is Fault.TOO_MANY else {}
                self._send(int(fault.value), headers, b"injected by the test")
            case Fault.DROPPED:
                self._close()
            case Fault.LOST:
                self._forward(body)
                self._close()
            case _:
                status, headers, content = self._forward(body)
                time.sleep(DELAY if fault is Fault.DELAYED else 0)
                self._send(status, headers, content)

    def _forward(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        headers = _forwarded(dict(self.headers))
        answer = self.server.pool.urlopen(self.command, self.path, body, headers, redirect=False)
        content, through = answer.data, self.server.proxy.through
        if "json" in answer.headers.get("Content-Type", ""):
            content = through(content.decode()).encode()
        headers = {name: through(value) for name, value in _forwarded(answer.headers).items()}
        if self.command == "HEAD":
            headers["Content-Length"] = answer.headers.get("Content-Length", "0")
        return answer.status, headers, content

    def _send(self, status: int, headers: Mapping[str, str], content: bytes) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if self.command != "HEAD" and status != HTTPStatus.NO_CONTENT:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _close(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)


def _forwarded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() not in _OF_A_CONNECTION}
