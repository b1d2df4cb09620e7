"""A service of the cloud: its process and how to check that it works."""

import http.client
import socket
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import SandboxError
from sandbox.ports import LOOPBACK, Port
from sandbox.process import Process, wait_for

_PROBE_TIMEOUT = 5.0  # seconds
_ACCEPTS_CONNECTIONS = 0x10000  # the kernel's __SO_ACCEPTCON, in the flags of /proc/net/unix
_LOADING = 90  # seconds that a service may take from its start to its first response
_SERVER_ERROR = 500


def always() -> bool:
    """Return True: the probe of a service that only receives messages from a queue."""
    return True


@dataclass(frozen=True, kw_only=True)
class Service:
    """A process, or a process with children, of the cloud."""

    process: Process
    package: str
    """Debian package that contains its code."""
    port: Port | None = None
    answers: Callable[[], bool] = always
    """Probe that returns whether the service works, as far as can be checked from outside; must not raise."""

    @property
    def name(self) -> str:
        """Name in `status`, and of the log and the record."""
        return self.process.name

    def works(self) -> bool:
        """Return whether the service runs with its current configuration and its probe succeeds."""
        return self.process.current() and self.answers()

    def start(self) -> None:
        """Start the process if it does not run; restart it if its configuration has changed or it hangs."""
        if self.process.current() and not self._answers_in_time():
            self.process.stop()
        self.process.start()

    def _answers_in_time(self) -> bool:
        """Return whether the probe succeeds, waiting while the service may still be starting."""
        patience = max(_LOADING - self.process.age(), _PROBE_TIMEOUT)
        try:
            wait_for(self.answers, f"{self.name} answers", self.process, timeout=patience)
        except SandboxError:
            return False
        return True

    def wait(self, timeout: float = 180) -> None:
        """Wait until the probe succeeds.

        Raises:
            ProcessDiedError: The process ended.
            SandboxError: The probe does not succeed within `timeout` seconds.
        """
        place = f" on port {self.port.value}" if self.port else ""
        wait_for(self.answers, f"{self.name} answers{place}", self.process, timeout)


def http_answers(url: str) -> Callable[[], bool]:
    """Return a probe that sends an HTTP request and accepts any response but server errors.

    Listening is not sufficient: uWSGI opens the port long before the application is loaded.
    """

    def probe() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_PROBE_TIMEOUT):  # noqa: S310 - our own http URL
                return True
        except urllib.error.HTTPError as error:
            return error.code < _SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False

    return probe


def tcp_accepts(port: Port) -> Callable[[], bool]:
    """Return a probe that opens a connection to the port."""

    def probe() -> bool:
        try:
            with socket.create_connection((LOOPBACK, port.value), timeout=_PROBE_TIMEOUT):
                return True
        except OSError:
            return False

    return probe


def unix_sockets_listen(*files: Path) -> Callable[[], bool]:
    """Return a probe that checks whether processes listen on the sockets.

    It asks the kernel instead of connecting: Octavia's driver agent reads in a busy loop, without a timeout, from a
    client that sends nothing, and has few processes for clients.
    """

    def probe() -> bool:
        sockets = map(str.split, Path("/proc/net/unix").read_text().splitlines()[1:])
        listening = {fields[-1] for fields in sockets if int(fields[3], 16) & _ACCEPTS_CONNECTIONS}
        return listening.issuperset(map(str, files))

    return probe
