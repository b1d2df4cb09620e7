"""What servers of tests on the loopback interface have in common."""

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import TCPServer
from typing import TypeVar

Server = TypeVar("Server", bound=TCPServer)


class Handler(BaseHTTPRequestHandler):
    """A handler of requests that logs nothing."""

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@contextmanager
def serving(server: Server) -> Iterator[Server]:
    """Serve in a thread for the ``with`` block, yield the server, and close it."""
    # It ends after half a second by default.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def tls(certificate: str, key: str, folder: Path) -> ssl.SSLContext:
    """Return a server's context with a certificate, followed by intermediate ones, and its key; both PEM.

    Args:
        certificate: The certificates.
        key: The key.
        folder: Existing directory for a file with both.
    """
    file = folder / "server.pem"
    file.touch(mode=0o600)
    file.write_text(certificate + key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
