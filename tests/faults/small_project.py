"""A project of the components in OpenStack, whose requests go through a proxy that injects faults."""

import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from openstack.connection import Connection

from config.names import cloud_name
from sandbox import environment, paths
from sandbox.ports import Port
from tests.faults.proxy import FaultProxy
from tests.sandbox.configuration import vary
from tests.sandbox.program import Program

STACK: Final = "faults"
SERVICES: Final[Mapping[str, str]] = {
    port.name.lower(): port.url
    for port in (
        Port.KEYSTONE,
        Port.NOVA,
        Port.CINDER,
        Port.GLANCE,
        Port.MAGNUM,
        Port.NEUTRON,
        Port.OCTAVIA,
        Port.SWIFT,
        Port.PLACEMENT,
    )
}
_SOURCE: Final = Path(__file__).with_name("project")


@dataclass(frozen=True)
class SmallProject:
    """The project in a directory, with its own backend."""

    directory: Path
    changes: Mapping[str, Any]
    """Differences of the configuration from that of the sandbox's stack."""

    @property
    def plain(self) -> Program:
        """The program without faults."""
        return Program(STACK, variables=self._variables, directory=self.directory)

    def through(self, proxy: FaultProxy) -> Program:
        """Return the program with requests that go through a running proxy."""
        clouds = self.directory / "clouds.yaml"
        clouds.touch(mode=0o600)
        clouds.write_text(proxy.through(paths.CLOUDS_YAML.read_text()))
        variables = {**self._variables, "OS_CLIENT_CONFIG_FILE": str(clouds)}
        return Program(STACK, variables=variables, directory=self.directory)

    def configure(self, **more: Any) -> None:
        """Write the configuration with further changes."""
        vary(self.directory / f"Pulumi.{STACK}.yaml", {**self.changes, **more})

    @property
    def _variables(self) -> dict[str, str]:
        return {"PULUMI_BACKEND_URL": (self.directory / "state").as_uri(), "PYTHONPATH": str(paths.CHECKOUT)}


@contextmanager
def small_project(directory: Path, tenant: Connection, **changes: Any) -> Iterator[SmallProject]:
    """Create the project, and delete afterwards all that it has created.

    Args:
        directory: Directory for the project, which must not exist.
        tenant: The tenant's client.
        changes: Changes of the sandbox's configuration.
    """
    shutil.copytree(_SOURCE, directory)
    (directory / ".venv").symlink_to(paths.CHECKOUT / ".venv")
    (directory / "state").mkdir(mode=0o700)
    project = SmallProject(directory, {"objectStore": {"bucket": STACK}, **changes})
    project.configure()
    plain = project.plain
    variables = {**environment.variables(), **plain.variables}
    subprocess.run(["pulumi", "stack", "init", STACK], cwd=directory, env=variables, check=True)
    try:
        yield project
    finally:
        project.configure(protect=False)
        plain.try_to_operate("recover")
        plain.run("up")  # removes the protection
        plain.run("destroy")
        for volume in tenant.block_storage.volumes():
            # Data volumes outlive their stack.
            if volume.name.startswith(cloud_name(STACK, "")):
                tenant.block_storage.delete_volume(volume.id)
