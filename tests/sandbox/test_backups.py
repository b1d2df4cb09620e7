"""Volumes are restored, with what was written to them, into a running NFS server, and into an empty project.

The sandbox's volumes are files, so that their content can be written and read without a VM. The Pulumi project of this
test consists of a network and an NFS server; the commands find its stack file in its directory, as a site's.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import pytest
from openstack.connection import Connection

from config.names import cloud_name
from sandbox import environment, paths
from tests.sandbox.configuration import vary

STACK: Final = "backups"
SERVER: Final = cloud_name(STACK, "nfs")
JHOME: Final = f"{SERVER}-jhome"

PROJECT: Final = """\
name: rsp
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""
PROGRAM: Final = """\
from pathlib import Path
from pulumi import ResourceOptions
from components.network import Network
from components.nfs_server import NfsServer
from config.loader import load_file
from config.stack_config import StackConfig
from program import openstack_arguments
from program.duplicates import refuse_duplicates
from program.providers import openstack_provider

config = load_file(Path("Pulumi.backups.yaml"), StackConfig)
refuse_duplicates(config.cloud)
options = ResourceOptions(providers=[openstack_provider(config.cloud, config.cloud.region)])
network = Network("network", openstack_arguments.network(config.network), options)
NfsServer("nfs", openstack_arguments.nfs_server(config, network), options)
"""


class Site:
    """The stack, and the commands with which an operator uses it."""

    def __init__(self, directory: Path, tenant: Connection) -> None:
        self._directory, self._tenant = directory, tenant
        (directory / ".venv").symlink_to(paths.CHECKOUT / ".venv")
        (directory / "Pulumi.yaml").write_text(PROJECT)
        (directory / "__main__.py").write_text(PROGRAM)
        (directory / "state").mkdir()
        self._variables = {
            **os.environ,
            **environment.variables(),
            "PULUMI_BACKEND_URL": f"file://{directory / 'state'}",
            "PYTHONPATH": str(paths.CHECKOUT),
        }

    def configure(self, **backups: Any) -> None:
        volumes = {name: {"size": 1, "rootSquash": True} for name in ("data", "jhome")}
        changes = {
            "network": {"cidr": "10.41.0.0/24"},
            "nfs": {"address": "10.41.0.10", "volumes": volumes},
            "backups": backups,
            "protect": False,
        }
        vary(self._directory / f"Pulumi.{STACK}.yaml", changes)

    def pulumi(self, *arguments: str) -> str:
        return self._run("pulumi", *arguments, "--non-interactive")

    def operate(self, *arguments: str) -> Any:
        """Return what a command prints with ``--json``."""
        command, *rest = arguments
        return json.loads(self._run(sys.executable, "-m", "operations", *command.split(), "-s", STACK, *rest, "--json"))

    def changes(self) -> dict[str, int]:
        """Return the changes that a preview shows, by operation."""
        counts = json.loads(self.pulumi("preview", "--stack", STACK, "--json"))["changeSummary"]
        return {operation: count for operation, count in counts.items() if operation != "same"}

    def up(self) -> None:
        self.pulumi("up", "--stack", STACK, "--yes", "--skip-preview")

    def volume(self, name: str = JHOME) -> Any:
        (found,) = [each for each in self._tenant.block_storage.volumes() if each.name == name]
        return found

    def server(self) -> str:
        """Return the ID of the NFS server."""
        (server,) = self._tenant.compute.servers(name=f"^{SERVER}$")
        return str(server.id)

    def attached(self) -> set[str]:
        """Return the names of the volumes of the NFS server."""
        ids = {each.volume_id for each in self._tenant.compute.volume_attachments(self.server())}
        return {each.name for each in self._tenant.block_storage.volumes() if each.id in ids}

    def write(self, text: str) -> None:
        """Write to the volume jhome."""
        with _content(self.volume().id).open("r+b") as file:
            file.seek(1 << 20)
            file.write(text.encode())

    def read(self) -> str:
        """Return what was written to the volume jhome."""
        with _content(self.volume().id).open("rb") as file:
            file.seek(1 << 20)
            return file.read(6).decode()

    def lose(self) -> None:
        """Delete the stack with its volumes and its state."""
        self.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
        self.clean(kinds=("snapshots", "volumes"))
        self.pulumi("stack", "rm", STACK, "--yes", "--preserve-config")

    def clean(self, kinds: tuple[str, ...] = ("snapshots", "backups", "volumes")) -> None:
        """Delete what Pulumi keeps; the newest first, as incremental backups and restored volumes need the others."""
        found = [(str(each.created_at), kind, each) for kind in kinds for each in self._left(kind)]
        for _, kind, each in sorted(found, key=itemgetter(0), reverse=True):
            getattr(self._tenant.block_storage, f"delete_{kind.removesuffix('s')}")(each.id)
            self._tenant.block_storage.wait_for_delete(each, interval=0.5)

    def _left(self, kind: str) -> list[Any]:
        listed = getattr(self._tenant.block_storage, kind)()
        return [each for each in listed if (each.name or "").startswith(SERVER)]

    def _run(self, *argv: str) -> str:
        done = subprocess.run(
            argv, cwd=self._directory, env=self._variables, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(argv)}:\n{done.stdout}\n{done.stderr}"
        return done.stdout


def _content(volume_id: str) -> Path:
    return paths.DATA / "cinder" / "files" / f"volume-{volume_id}"


@pytest.fixture(scope="module")
def site(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    found = Site(tmp_path_factory.mktemp("backups"), tenant)
    found.configure(kind="snapshot", keep={"daily": 1, "weekly": 1})
    try:
        found.pulumi("stack", "init", STACK)
        found.up()
        yield found
    finally:
        found.pulumi("destroy", "--stack", STACK, "--yes", "--skip-preview")
        found.clean()


def test_a_snapshot_is_restored_into_the_place_of_the_volume(site: Site) -> None:
    site.write("before")
    (first, *_) = site.operate("backup create")
    assert (first["volume"], first["action"], first["backup"]["status"]) == ("data", "made", "available")
    assert {each["action"] for each in site.operate("backup create")} == {"present"}
    site.operate("backup create", "--now")
    site.write("wrong!")
    old = site.volume()

    (done,) = site.operate("backup restore", "jhome", "--yes")
    new = site.volume()
    assert (new.id, new.snapshot_id, new.size) == (done["id"], done["backup"]["id"], old.size)
    assert new.id != old.id
    assert site.read() == "before"
    # The VM only, and not the volume for its source.
    assert site.changes() == {"replace": 1}
    site.up()
    assert site.attached() == {f"{SERVER}-data", JHOME}
    assert site.changes() == {}
    # What was in its place is still there.
    assert site.volume(done["replaced"]).id == old.id


def test_expired_snapshots_are_deleted(site: Site) -> None:
    for _ in range(2):
        site.operate("backup create", "--now")
    before = site.operate("backup list")
    gone = site.operate("backup prune")
    expired = {each["id"] for each in before if each["expired"]}
    # Ceph cannot delete the snapshot from which the volume was restored.
    needed = site.volume().snapshot_id
    assert {each["backup"]["id"]: each["action"] for each in gone} == {
        **dict.fromkeys(expired, "deleted"),
        needed: "not deleted",
    }
    assert needed in expired
    left = site.operate("backup list")
    # The last of the day, the first of the week, and the needed one.
    assert sorted(each["volume"] for each in left) == ["data", "data", "jhome", "jhome", "jhome"]


def test_the_volumes_are_restored_from_backups_after_everything_else_is_lost(site: Site) -> None:
    site.configure(kind="backup")
    site.write("backup")
    assert {each["action"] for each in site.operate("backup create")} == {"made"}
    site.write("second")
    assert [each["backup"]["incremental"] for each in site.operate("backup create", "--now")] == [True, True]
    site.lose()

    site.pulumi("stack", "init", STACK)
    restored = {each["volume"]: each for each in site.operate("backup restore", "--missing", "--yes")}
    assert set(restored) == {"data", "jhome"}
    assert site.read() == "second"
    with pytest.raises(AssertionError, match="already exists"):
        site.up()
    site.operate("recover")
    site.up()
    assert site.volume().id == restored["jhome"]["id"]
    assert site.attached() == {f"{SERVER}-data", JHOME}
    assert site.changes() == {}


def test_a_lost_state_is_recorded_again_without_another_volume_or_vm(site: Site) -> None:
    before = (site.server(), site.volume().id)
    site.pulumi("stack", "rm", STACK, "--yes", "--force", "--preserve-config")
    site.pulumi("stack", "init", STACK)
    site.operate("recover")
    site.up()
    assert (site.server(), site.volume().id) == before
    assert site.changes() == {}
