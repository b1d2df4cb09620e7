"""The directory of a cluster, and the command that runs its control plane.

The directory `<clusters_directory>/<cluster uuid>` contains `cluster.json` (see `Description` in `sandbox.cluster`),
`ca.crt` and `ca.key`. The command adds `api_address`. All files are readable by their owner only.
"""

import json
import os
import shlex
import subprocess
from pathlib import Path
from typing import Any

from magnum.conductor.handlers.common import cert_manager
from oslo_config import cfg

OPTIONS = [
    cfg.StrOpt("clusters_directory", help="Directory with a directory for each cluster."),
    cfg.StrOpt("cluster_command", help="Command to run as `COMMAND up|down DIRECTORY`, in shell syntax."),
]
GROUP = "sandbox"
cfg.CONF.register_opts(OPTIONS, group=GROUP)

COMMAND_SECONDS = 600


class CommandError(Exception):
    """The command failed; the message is the last line of its output."""


class Directory:
    """The directory of one cluster."""

    def __init__(self, cluster_uuid: str) -> None:
        self.path = Path(cfg.CONF[GROUP].clusters_directory) / cluster_uuid

    def write(self, context: Any, cluster: Any, description: dict[str, Any]) -> None:
        """Write the description and the cluster's CA from Magnum's certificate manager."""
        self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority = cert_manager.get_cluster_ca_certificate(cluster, context=context)
        self._write("ca.crt", _text(authority.get_certificate()))
        self._write("ca.key", _text(authority.get_decrypted_private_key()))
        self._write("cluster.json", json.dumps(description, indent=2))

    def up(self) -> str:
        """Start or update the control plane and the nodes, and wait until they are ready.

        Returns:
            URL of the Kubernetes API.

        Raises:
            CommandError: The command failed.
        """
        self._run("up")
        return (self.path / "api_address").read_text().strip()

    def remove(self) -> None:
        """Stop all processes of the cluster and delete its data."""
        if self.path.exists():
            self._run("down", "--delete")

    def _write(self, name: str, content: str) -> None:
        """Replace a file atomically."""
        draft = self.path / f".{name}"
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(content)
        draft.replace(self.path / name)

    def _run(self, *verb: str) -> None:
        command = [*shlex.split(cfg.CONF[GROUP].cluster_command), *verb, str(self.path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines()
            raise CommandError(lines[-1] if lines else f"{verb} ended with status {done.returncode}")


def _text(pem: str | bytes) -> str:
    return pem.decode() if isinstance(pem, bytes) else pem
