"""A Git server with HTTPS and basic authentication, as of a private repository."""

import base64
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.site_certificate import issue
from tests.serving import Handler, serving, tls

HOST = "localhost"


class GitServer(ThreadingHTTPServer):
    """Serves the repositories below a directory to one user, by Git's own CGI program."""

    def __init__(self, root: Path, login: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.root = root
        self.expected = f"Basic {base64.b64encode(login.encode()).decode()}"
        self.redirect = ""
        """URL that all requests are redirected to."""
        self.seen: list[str] = []
        """Authorization header of each request; empty if it has none."""

    @property
    def url(self) -> str:
        """URL of the directory."""
        return f"https://{HOST}:{self.server_port}"


class _Handler(Handler):
    server: GitServer
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        given = self.headers.get("Authorization", "")
        self.server.seen.append(given)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.server.redirect:
            self._answer(302, {"Location": self.server.redirect + self.path})
        elif given != self.server.expected:
            self._answer(401, {"WWW-Authenticate": 'Basic realm="git"'})
        else:
            self._serve(body)

    do_GET = do_POST = _handle  # noqa: N815  # names of http.server

    def _serve(self, body: bytes) -> None:
        path, _, query = self.path.partition("?")
        variables = {
            "GIT_PROJECT_ROOT": str(self.server.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ("git", "http-backend"), env=os.environ | variables, input=body, capture_output=True, check=True
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().splitlines())
        self._answer(int(fields.pop("Status", "200").split()[0]), fields, content)

    def _answer(self, status: int, fields: dict[str, str], content: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {**fields, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def git_server(root: Path, login: str, folder: Path, patch: pytest.MonkeyPatch) -> Iterator[GitServer]:
    """Serve repositories on the loopback interface, with a certificate that Git trusts.

    Args:
        root: Directory with the repositories.
        login: ``user:password``.
        folder: Directory for the certificate.
        patch: Sets the variable of the certificate.
    """
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    certificate, key = issue(HOST, now, now + timedelta(days=1))
    (folder / "crt").write_text(certificate)
    patch.setenv("GIT_SSL_CAINFO", str(folder / "crt"))
    patch.setenv("no_proxy", HOST)
    server = GitServer(root, login)
    server.socket = tls(certificate, key, folder).wrap_socket(server.socket, server_side=True)
    with serving(server):
        yield server
