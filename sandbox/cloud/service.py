"""A service of the cloud: its process, where it comes from and how to see that it works."""

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
_ACCEPTS_CONNECTIONS = 0x10000  # __SO_ACCEPTCON of the kernel, in the flags of /proc/net/unix
_LOADING = 90  # seconds that a service may take from its start to its first answer
_SERVER_ERROR = 500


def nothing_to_ask() -> bool:
    """The probe of a service that only takes messages from a queue."""
    return True


@dataclass(frozen=True, kw_only=True)
class Service:
    """One process, or a group under one, of the cloud."""

    process: Process
    package: str
    """The Debian package that its code comes from."""
    port: Port | None = None
    answers: Callable[[], bool] = nothing_to_ask
    """Whether it does its work now, as far as one can ask from outside; never raises."""

    @property
    def name(self) -> str:
        """Name in `status`, of the log and of the record."""
        return self.process.name

    def works(self) -> bool:
        """Whether it runs, from its present configuration, and answers."""
        return self.process.current() and self.answers()

    def start(self) -> None:
        """Start the process where it does not run; restart it where its configuration has changed or it hangs."""
        if self.process.current() and not self._answers_in_time():
            self.process.stop()
        self.process.start()

    def _answers_in_time(self) -> bool:
        """Whether it answers: at once, or while one could think that it is still starting."""
        patience = max(_LOADING - self.process.age(), _PROBE_TIMEOUT)
        try:
            wait_for(self.answers, f"{self.name} answers", self.process, timeout=patience)
        except SandboxError:
            return False
        return True

    def wait(self, timeout: float = 180) -> None:
        """Wait until it answers.

        Raises:
            ProcessDiedError: It ended instead.
            SandboxError: It does not answer within `timeout` seconds.
        """
        place = f" on port {self.port.value}" if self.port else ""
        wait_for(self.answers, f"{self.name} does not answer{place}", self.process, timeout)


def http_answers(url: str) -> Callable[[], bool]:
    """A probe: the service gives an HTTP answer that is no server's fault.

    Listening is not enough: uWSGI opens the port long before the application is loaded.
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
    """A probe: something accepts connections on the port."""

    def probe() -> bool:
        try:
            with socket.create_connection((LOOPBACK, port.value), timeout=_PROBE_TIMEOUT):
                return True
        except OSError:
            return False

    return probe


def unix_sockets_listen(*files: Path) -> Callable[[], bool]:
    """A probe: something listens on each of the sockets.

    It asks the kernel and does not connect: Octavia's driver agent reads for ever from a client that says nothing, with
    a whole core, and has few processes for such clients.
    """

    def probe() -> bool:
        sockets = map(str.split, Path("/proc/net/unix").read_text().splitlines()[1:])
        listening = {fields[-1] for fields in sockets if int(fields[3], 16) & _ACCEPTS_CONNECTIONS}
        return listening.issuperset(map(str, files))

    return probe
