"""OpenStack's API with a certificate of a private CA: Keystone behind a proxy that ends TLS."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from socketserver import BaseRequestHandler, ThreadingTCPServer

import pytest
import yaml

from components import private_authority
from sandbox import paths
from sandbox.ports import LOOPBACK, Port
from tests.sandbox.program import Program
from tests.serving import serving, tls

HOST = "localhost"


class _Proxy(ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, context: ssl.SSLContext) -> None:
        super().__init__((LOOPBACK, 0), _Connection)
        self.context = context
        self.accepted = 0
        """Number of connections whose client trusts the certificate."""


class _Connection(BaseRequestHandler):
    server: _Proxy

    def handle(self) -> None:
        # A client that does not trust the certificate disconnects.
        with suppress(OSError), self.server.context.wrap_socket(self.request, server_side=True) as client:
            self.server.accepted += 1
            with socket.create_connection((LOOPBACK, Port.KEYSTONE.value)) as keystone:
                answers = threading.Thread(target=_copy, args=(keystone, client), daemon=True)
                answers.start()
                _copy(client, keystone)
                answers.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)


@pytest.fixture
def keystone(tmp_path: Path) -> Iterator[_Proxy]:
    """Serve Keystone with a certificate of the CA in ca.pem."""
    authority = private_authority.create(HOST)
    (tmp_path / "ca.pem").write_text(authority["certificate"])
    signed = private_authority.issue(authority, HOST)
    with serving(_Proxy(tls(signed["certificate"], signed["key"], tmp_path))) as proxy:
        yield proxy


def test_the_authority_in_clouds_yaml_is_trusted_by_program_and_provider(
    program: Program, keystone: _Proxy, tmp_path: Path
) -> None:
    clouds = yaml.safe_load(paths.CLOUDS_YAML.read_text())
    entry, file = clouds["clouds"]["rsp"], tmp_path / "clouds.yaml"
    entry["auth"]["auth_url"] = f"https://{HOST}:{keystone.server_address[1]}/v3"
    with_tls = Program(program.stack, variables={"OS_CLIENT_CONFIG_FILE": str(file)})

    file.write_text(yaml.safe_dump(clouds))
    refused = with_tls.attempt("preview")
    assert refused.returncode != 0
    assert "has a certificate that no public CA has signed (" in refused.stdout + refused.stderr
    assert keystone.accepted == 0

    entry["cacert"] = str(tmp_path / "ca.pem")
    file.write_text(yaml.safe_dump(clouds))
    assert with_tls.changes("preview") == {}
    by_program = keystone.accepted
    assert by_program
    # A refresh asks OpenStack by Pulumi's provider only.
    assert with_tls.changes("refresh") == {}
    assert keystone.accepted > by_program
