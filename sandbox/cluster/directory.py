"""The directory of one cluster, `<clusters>/<cluster uuid>`, readable by root only."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox import paths
from sandbox.cluster.description import DESCRIPTION, Description
from sandbox.cluster.port_block import Offset, first_port
from sandbox.ports import LOOPBACK
from sandbox.process import Process


@dataclass(frozen=True)
class ClusterDirectory:
    """Paths, ports and processes of a cluster."""

    path: Path

    @cached_property
    def description(self) -> Description:
        """The cluster's description by Magnum's driver."""
        return Description.load(self.path)

    @property
    def authority(self) -> tuple[Path, Path]:
        """Certificate and key of the cluster's CA from Magnum."""
        return self.path / "ca.crt", self.path / "ca.key"

    @property
    def pki(self) -> Path:
        """Directory of certificates, keys and kubeconfigs created by the sandbox."""
        return self.path / "pki"

    @property
    def data(self) -> Path:
        """Directory of the processes' data."""
        return self.path / "data"

    @property
    def records(self) -> Path:
        """Directory of the processes' records."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """Directory of the processes' logs."""
        return self.path / "log"

    def kubeconfig(self, user: str) -> Path:
        """Return the path of the kubeconfig of a control plane user."""
        return self.pki / f"{user}.kubeconfig"

    def port(self, offset: Offset) -> int:
        """Return a port of this cluster's block."""
        return first_port(self.path) + offset

    def address(self, offset: Offset) -> str:
        """Return the `HOST:PORT` of a port of this cluster's block."""
        return f"{LOOPBACK}:{self.port(offset)}"

    @property
    def api_url(self) -> str:
        """URL of the Kubernetes API."""
        return f"https://{self.address(Offset.KUBE_APISERVER)}"

    def process(
        self, name: str, *argv: str | Path, env: Mapping[str, str] | None = None, config: tuple[Path, ...] = ()
    ) -> Process:
        """Return a process of this cluster; see `sandbox.process.Process`."""
        return Process(
            name=name,
            argv=tuple(map(str, argv)),
            env=env or {},
            cwd=self.path,
            config=config,
            records=self.records,
            logs=self.logs,
        )

    def own_process(self, command: str, env: Mapping[str, str] | None = None, config: tuple[Path, ...] = ()) -> Process:
        """Return the process `python -m sandbox cluster COMMAND DIRECTORY`, which a change of its code restarts."""
        return Process(
            name=command,
            argv=(sys.executable, "-m", "sandbox", "cluster", command, str(self.path)),
            env=env or {},
            cwd=paths.CHECKOUT,
            config=(*config, *sorted(Path(__file__).parent.glob("*.py"))),
            records=self.records,
            logs=self.logs,
        )


def clusters() -> Iterator[ClusterDirectory]:
    """Yield the clusters that Magnum's driver has described."""
    for description in sorted(paths.CLUSTERS.glob(f"*/{DESCRIPTION}")):
        yield ClusterDirectory(description.parent)
