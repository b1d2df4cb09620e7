"""The dashboard's HTTP server, which answers only clients on this machine."""

import re
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

ADDRESS: Final = "127.0.0.1"
_HOST: Final = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)
"""Names by which a browser may ask, with any port, as that of an SSH tunnel may differ. With another one, a page of
another site has changed its own address to this machine's, to read the answer (DNS rebinding)."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_TIMEOUT: Final = 10.0
"""Seconds that a client may take for its request."""

Content = Callable[[], str | None]
"""Returns the text to answer with; None if there is none yet."""


class Server(ThreadingHTTPServer):
    """Answers GET requests for some files.

    Args:
        port: Port on the loopback interface; 0 for a free one.
        files: Contents by name, beginning with ``index.html``.

    Raises:
        OSError: The port is in use.
    """

    def __init__(self, port: int, files: Mapping[str, Content]) -> None:
        self.files = files
        super().__init__((ADDRESS, port), _Handler)

    @property
    def url(self) -> str:
        """URL of the page."""
        return f"http://{ADDRESS}:{self.server_port}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report an error, except for a client that has disconnected."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def static(name: str) -> Content:
    """Return a file of this package as content."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    return lambda: text


class _Handler(BaseHTTPRequestHandler):
    server: Server
    timeout = _TIMEOUT

    def do_GET(self) -> None:
        if not _HOST.fullmatch(self.headers.get("Host", "")):
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, explain=f"Ask for {self.server.url}")
            return
        name = urlsplit(self.path).path.removeprefix("/") or "index.html"
        text = self.server.files[name]() if name in self.server.files else None
        if text is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        body = text.encode()
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"{_TYPES[Path(name).suffix]}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        # A diagram has its style in itself.
        policy = "default-src 'none'; style-src 'unsafe-inline'" if name.endswith(".svg") else _POLICY
        self.send_header("Content-Security-Policy", policy)
        self.end_headers()
        self.wfile.write(body)

    def end_headers(self) -> None:
        for name, value in _HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Do not log requests: nothing is left of them."""
