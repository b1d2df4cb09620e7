import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answers = Mapping[str, tuple[int, Any]]
"""Status and JSON body of each response by ``METHOD /path``; all other requests get a 404."""


@contextmanager
def json_server(answers: Answers) -> Iterator[str]:
    """Serve fixed responses on a free port of the loopback interface and yield the server's URL.

    ``{url}`` in a response is replaced by that URL.
    """

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, body = answers.get(f"{self.command} {self.path}", (404, {"errors": ["no such path"]}))
            text = json.dumps(body).replace("{url}", url).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.send_header("X-Subject-Token", "token-of-the-test")
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_LIST = answer  # noqa: N815  # names of http.server; LIST is Vault's

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
