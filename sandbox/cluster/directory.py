"""The files of one cluster, all below `<clusters>/<cluster uuid>`, readable by root alone."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from sandbox import paths
from sandbox.cluster.description import Description
from sandbox.cluster.port_block import Offset, first_port
from sandbox.ports import LOOPBACK
from sandbox.process import Process


@dataclass(frozen=True)
class ClusterDirectory:
    """Where a cluster's processes find their files, ports and each other."""

    path: Path

    @cached_property
    def description(self) -> Description:
        """The cluster as Magnum has it."""
        return Description.load(self.path)

    @property
    def authority(self) -> tuple[Path, Path]:
        """Certificate and key of the authority that Magnum made for the cluster."""
        return self.path / "ca.crt", self.path / "ca.key"

    @property
    def pki(self) -> Path:
        """Certificates, keys and kubeconfigs that are made here."""
        return self.path / "pki"

    @property
    def data(self) -> Path:
        """What the processes store."""
        return self.path / "data"

    @property
    def records(self) -> Path:
        """Records of the running processes."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """One log a process."""
        return self.path / "log"

    def kubeconfig(self, user: str) -> Path:
        """Kubeconfig of one of the control plane's own users."""
        return self.pki / f"{user}.kubeconfig"

    def port(self, offset: Offset) -> int:
        """A port of this cluster's block."""
        return first_port(self.path) + offset

    def address(self, offset: Offset) -> str:
        """`HOST:PORT` of a port of this cluster's block."""
        return f"{LOOPBACK}:{self.port(offset)}"

    @property
    def api_url(self) -> str:
        """URL of the Kubernetes API."""
        return f"https://{self.address(Offset.KUBE_APISERVER)}"

    def process(
        self, name: str, *argv: str | Path, env: Mapping[str, str] | None = None, config: tuple[Path, ...] = ()
    ) -> Process:
        """A process of this cluster; see `sandbox.process.Process`."""
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
        """`python -m sandbox cluster COMMAND DIRECTORY` as a process; `start` restarts it when its code has changed."""
        return Process(
            name=command,
            argv=(sys.executable, "-m", "sandbox", "cluster", command, str(self.path)),
            env=env or {},
            cwd=paths.CHECKOUT,
            config=(*config, *sorted(Path(__file__).parent.glob("*.py"))),
            records=self.records,
            logs=self.logs,
        )

    def recorded(self) -> list[Process]:
        """Every process of this cluster that has a record, whatever it was started from."""
        return [self.process(record.stem) for record in sorted(self.records.glob("*.json"))]


def clusters() -> Iterator[ClusterDirectory]:
    """The clusters that Magnum's driver has described."""
    for description in sorted(paths.CLUSTERS.glob("*/cluster.json")):
        yield ClusterDirectory(description.parent)
