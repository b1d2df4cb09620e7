"""A proxy of the sandbox's Vault that responds as a sealed Vault from the first write on."""

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from urllib.parse import urlsplit

from sandbox.ports import LOOPBACK, Port
from tests.serving import Handler, serving

_SEALED = json.dumps({"errors": ["Vault is sealed"]}).encode()
"""Body of the response of a sealed Vault, with status 503 (https://developer.hashicorp.com/vault/api-docs)."""


@contextmanager
def sealed_at_the_first_write() -> Iterator[str]:
    """Run the proxy, and yield its URL."""
    sealed = threading.Event()

    class Proxy(Handler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline and self.parse_request():
                self._answer()

        def _answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if self.command in {"POST", "PUT", "PATCH"} and "/data/" in self.path:
                sealed.set()
            status, kind, answer = (503, "application/json", _SEALED) if sealed.is_set() else self._forward(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def _forward(self, body: bytes) -> tuple[int, str, bytes]:
            vault = http.client.HTTPConnection(urlsplit(Port.VAULT.url).netloc, timeout=30)
            try:
                headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
                vault.request(self.command, self.path, body or None, headers)
                answer = vault.getresponse()
                return answer.status, answer.headers.get("Content-Type", ""), answer.read()
            finally:
                vault.close()

    with serving(ThreadingHTTPServer((LOOPBACK, 0), Proxy)) as server:
        yield f"http://{LOOPBACK}:{server.server_port}"
    assert sealed.is_set(), "the run wrote no secret, so Vault was never sealed"
