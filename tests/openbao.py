"""Temporary OpenBao servers with in-memory storage, each on a free port of the loopback interface.

``RSP_TEST_VAULT`` selects another program, such as HashiCorp's ``vault``, with which the tests must pass as well.
"""

import json
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hvac
import hvac.exceptions

from components import private_authority

_START = 20
"""Limit in seconds for a server to start."""


@dataclass(frozen=True)
class OpenBao:
    """An initialized and unsealed server."""

    url: str
    root_token: str = field(repr=False)
    unseal_key: str = field(repr=False)
    ca_file: str | None = None
    """File of the CA of its certificate; None with HTTP."""

    @property
    def root(self) -> hvac.Client:
        """Return a client with the root token."""
        return hvac.Client(url=self.url, token=self.root_token, verify=self.ca_file or True)

    def mount_kv(self, path: str) -> None:
        """Mount a KV engine of version 2, and wait until it accepts requests."""
        self.root.sys.enable_secrets_engine("kv", path=path, options={"version": "2"})
        deadline = time.monotonic() + _START
        while True:
            try:
                self.root.secrets.kv.v2.read_configuration(mount_point=path)
            except hvac.exceptions.InvalidRequest:
                assert time.monotonic() < deadline, f"{path} is still being upgraded"
                time.sleep(0.02)
            else:
                return

    def token(self, policy: str, **settings: Any) -> str:
        """Create a token with a policy in HCL; settings such as ``ttl`` are those of ``auth/token/create``."""
        name = f"of-the-test-{uuid.uuid4()}"
        self.root.sys.create_or_update_acl_policy(name=name, policy=policy)
        answer = self.root.auth.token.create(policies=[name], no_parent=True, **{"ttl": "1h", **settings})
        return str(answer["auth"]["client_token"])


@contextmanager
def uninitialized(directory: Path, *, tls: Mapping[str, str] | None = None) -> Iterator[str]:
    """Run an uninitialized server for the ``with`` block; yield its URL.

    Args:
        directory: Directory for configuration and log.
        tls: TLS settings of the listener; HTTP by default.
    """
    port = _free_port()
    configuration = {
        "storage": {"inmem": {}},
        "listener": {"tcp": {"address": f"127.0.0.1:{port}", **(tls or {"tls_disable": "true"})}},
        "api_addr": f"http://127.0.0.1:{port}",
        "cluster_addr": f"https://127.0.0.1:{_free_port()}",
        "max_lease_ttl": "87600h",
    }
    (directory / "openbao.json").write_text(json.dumps(configuration))
    program = os.environ.get("RSP_TEST_VAULT") or Path(sys.executable).parent / "bao"
    with (directory / "openbao.log").open("wb") as log:
        process = subprocess.Popen(
            [program, "server", f"-config={directory / 'openbao.json'}"],
            stdout=log,
            stderr=log,
            env={"HOME": str(directory)},
        )
        url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        try:
            _wait_for(port, process, directory / "openbao.log")
            yield url
        finally:
            process.terminate()
            process.wait(10)


@contextmanager
def server(directory: Path) -> Iterator[OpenBao]:
    """Run an initialized and unsealed server for the ``with`` block; arguments as for `uninitialized`."""
    with uninitialized(directory) as url:
        yield initialize(url)


@contextmanager
def with_private_authority(directory: Path) -> Iterator[OpenBao]:
    """Run an initialized and unsealed server with a certificate of a private CA, whose file is the server's."""
    authority = private_authority.create("localhost")
    signed = private_authority.issue(authority, "localhost")
    files = {name: directory / f"{name}.pem" for name in ("certificate", "key", "ca")}
    for name, pem in {**signed, "ca": authority["certificate"]}.items():
        files[name].write_text(pem)
    tls = {"tls_cert_file": str(files["certificate"]), "tls_key_file": str(files["key"])}
    with uninitialized(directory, tls=tls) as address:
        # The certificate is for the name only.
        yield initialize(address.replace("127.0.0.1", "localhost"), str(files["ca"]))


def initialize(url: str, ca_file: str | None = None) -> OpenBao:
    """Initialize and unseal a server; `ca_file` as of `OpenBao`."""
    client = hvac.Client(url=url, token="", verify=ca_file or True)
    keys = client.sys.initialize(secret_shares=1, secret_threshold=1)
    client.sys.submit_unseal_key(keys["keys_base64"][0])
    return OpenBao(url=url, root_token=keys["root_token"], unseal_key=keys["keys_base64"][0], ca_file=ca_file)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _START
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        else:
            return


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
