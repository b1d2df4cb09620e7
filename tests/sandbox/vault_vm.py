"""A real OpenBao on loopback, configured by the user data of a Vault server as on its VM."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import hvac
import requests
import yaml

HOST = "localhost"


class VaultVm:
    """A server with its own directory and ports.

    Args:
        user_data: User data for cloud-init.
        root: Empty directory with a short path, as the path of a socket is limited to 107 characters.
        port: Port of the API; a free port if None.
        authority: CA of its certificate as PEM; empty if that is in the given file, after the certificate.
    """

    def __init__(self, user_data: str, root: Path, port: int | None = None, authority: str = "") -> None:
        self.root = root
        self._authority = authority
        free_port, cluster_port = free_ports(2)
        self.port = port or free_port
        self._replacements = {
            "/etc/openbao": str(root / "etc"),
            "/srv/vault": str(root / "data"),
            "/run/openbao": str(root / "run"),
            "0.0.0.0:8200": f"127.0.0.1:{self.port}",
            "127.0.0.1:8201": f"127.0.0.1:{cluster_port}",
        }
        self._process: subprocess.Popen[bytes] | None = None
        self.install(user_data)

    def install(self, user_data: str) -> None:
        """Write the files as the first boot of a VM, on a volume that may have data."""
        self._files: dict[str, Any] = {each["path"]: each for each in yaml.safe_load(user_data)["write_files"]}
        # Directories that systemd and ExecStartPre create.
        for directory in ("etc", "run", "data/raft", "data/audit", "data/backup", "data/acme"):
            (self.root / directory).mkdir(parents=True, exist_ok=True)
        for path, file in self._files.items():
            if path.startswith("/etc/openbao/"):
                target = self.root / "etc" / Path(path).name
                target.touch(mode=int(file["permissions"], 8))
                target.write_text(self._replace(file["content"]))

    def replace_with_volume(self, user_data: str) -> Path:
        """Install a new VM with an empty volume, and return the path of the old data."""
        self.stop()
        old = (self.root / "data").rename(self.root / "old")
        self.install(user_data)
        return old

    @property
    def url(self) -> str:
        """URL of the API."""
        return f"https://{HOST}:{self.port}"

    @cached_property
    def certificate(self) -> str:
        """Path of the certificate that clients must trust."""
        if not self._authority:
            return str(self.root / "etc/tls.crt")
        path = self.root / "ca.pem"
        path.write_text(self._authority)
        return str(path)

    @property
    def log(self) -> str:
        """Log of the server."""
        return (self.root / "log").read_text()

    @property
    def audit_log(self) -> str:
        """Audit log."""
        return (self.root / "data/audit/audit.log").read_text()

    def start(self, *, status: int = 200, env: Mapping[str, str] | None = None) -> None:
        """Start the server, and wait for a status of its health, by default initialized and unsealed."""
        with (self.root / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [_bao(), "server", f"-config={self.root / 'etc/server.json'}"],
                stdout=log,
                stderr=log,
                env={"HOME": "/nonexistent", **(env or {})},
            )
        self.wait_for(status)

    def wait_for(self, status: int) -> None:
        """Wait for a status of its health."""
        deadline = time.monotonic() + 60
        while self.health() != status:
            assert self._process, "the server was not started"
            assert self._process.poll() is None, self.log
            assert time.monotonic() < deadline, f"status {self.health()}\n{self.log}"
            time.sleep(0.1)

    def stop(self) -> None:
        """Stop the server as systemd does."""
        if self._process:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    def health(self) -> int | None:
        """Return the status of its health; None if it does not answer."""
        try:
            return requests.get(f"{self.url}/v1/sys/health", verify=self.certificate, timeout=10).status_code
        except requests.ConnectionError:
            return None

    def login(self, user: str, password: str) -> hvac.Client:
        """Return a client that is logged in as a user."""
        client = self.client()
        client.auth.userpass.login(user, password)
        return client

    def client(self, token: str = "") -> hvac.Client:
        """Return a client with a token."""
        return hvac.Client(url=self.url, token=token, verify=self.certificate, timeout=30)

    def run_script(self, path: str, *, largest_file: int | None = None, status: int = 0) -> None:
        """Run a script of the user data, and check its exit status.

        Args:
            path: Path of the script on the VM.
            largest_file: Size in bytes that no file may exceed, as if the volume were full.
            status: Exit status that it must have.
        """
        limit = [] if largest_file is None else ["prlimit", f"--fsize={largest_file}"]
        environment = {"PATH": f"{Path(_bao()).parent}:{os.environ['PATH']}"}
        script = self._replace(self._files[path]["content"])
        done = subprocess.run(
            [*limit, "/bin/sh"], input=script, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stdout + done.stderr

    def command(self, *arguments: str, token: str = "", stdin: str = "") -> str:
        """Run a command of the CLI `bao`, and return its standard output."""
        environment = {"BAO_ADDR": self.url, "BAO_CACERT": self.certificate, "BAO_TOKEN": token, "HOME": str(self.root)}
        done = subprocess.run(
            [_bao(), *arguments], env=environment, input=stdin, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def token(self, user: str, password: str) -> str:
        """Return a token of a user, by the command in docs/vault-server.md."""
        return self.command(
            "login", "-method=userpass", "-token-only", f"username={user}", "password=-", stdin=password
        )

    def create_operator(self, admin: str, stack: str, policy: str, user: str, password: str) -> None:
        """Create an operator of an environment by the commands in docs/vault-server.md.

        Args:
            admin: Token of rsp-admin.
            stack: The environment's stack.
            policy: Output of `python -m operations vault-policy -s STACK`.
            user: Name of the operator.
            password: The operator's password.
        """
        name = f"rsp-operator-{stack}"
        self.command("policy", "write", name, "-", token=admin, stdin=policy)
        settings = (f"token_policies={name}", "token_ttl=4h", "token_max_ttl=12h")
        self.command("write", f"auth/userpass/users/{user}", "password=-", *settings, token=admin, stdin=password)

    def _replace(self, text: str) -> str:
        for old, new in self._replacements.items():
            text = text.replace(old, new)
        return text


def free_ports(count: int) -> list[int]:
    """Return unused ports."""
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _bao() -> str:
    return str(Path(sys.executable).parent / "bao")
