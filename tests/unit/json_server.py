import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
    answers: Answers, received: list[Request] | None = None, following: Mapping[str, str] | None = None
) -> Iterator[str]:
    """Serve fixed responses on a free port of the loopback interface and yield the server's URL.

    ``{url}`` in a response is replaced by that URL.

    Args:
        answers: The responses.
        received: List to which all requests are added.
        following: Path of the next page, for the ``Link`` header of a response, by ``METHOD /path``.
    """

    class Handler(BaseHTTPRequestHandler):
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

        def log_message(self, *_: object) -> None:
            """Do not log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
