import json
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import ThreadingHTTPServer
from typing import Any

from tests.serving import Handler, serving

Answers = Mapping[str, tuple[int, Any]]
"""Status and JSON body of each response by ``METHOD /path``; all other requests get a 404."""


@dataclass(frozen=True)
class Request:
    """A request that the server has received."""

    line: str
    """``METHOD /path``."""
    body: Any
    """JSON body; None if it is empty."""
    headers: Mapping[str, str]


@contextmanager
def json_server(
    answers: Answers,
    received: list[Request] | None = None,
    following: Mapping[str, str] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Iterator[str]:
    """Serve fixed responses on a free port of the loopback interface and yield the server's URL.

    ``{url}`` in a response is replaced by that URL.

    Args:
        answers: The responses.
        received: List to which all requests are added.
        following: Path of the next page, for the ``Link`` header of a response, by ``METHOD /path``.
        tls: Certificate to serve with HTTPS; HTTP by default.
    """

    class Recorded(Handler):
        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            line = f"{self.command} {self.path}"
            if received is not None:
                received.append(Request(line, json.loads(content) if content else None, dict(self.headers)))
            status, body = answers.get(line, (404, {"errors": ["no such path"]}))
            text = json.dumps(body).replace("{url}", url).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Subject-Token", "token-of-the-test")
            if following and line in following:
                self.send_header("Link", f'<{url}{following[line]}>; rel="next"')
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_LIST = answer  # noqa: N815  # names of http.server; LIST is Vault's

    server = (_QuietServer if tls else ThreadingHTTPServer)(("127.0.0.1", 0), Recorded)
    if tls:
        # The handshake is in the thread of the connection.
        server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"
    with serving(server):
        yield url


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, *_: object) -> None:
        """Ignore clients that do not trust the certificate, or read it only."""
