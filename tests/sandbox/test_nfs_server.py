"""A changed NFS server is replaced: it is shut down before its volumes are detached; address and data remain."""

import base64
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import openstack
import pytest
from openstack.connection import Connection
from pulumi import ResourceOptions, automation

from components.network import Network
from components.nfs_server import NfsServer
from config.names import cloud_name
from program import openstack_arguments
from program.providers import openstack_provider
from tests.sandbox.small_stack import small_stack
from tests.unit.sample import environment

STACK = "small-nfs"
SERVER = cloud_name(STACK, "nfs")
VOLUMES: dict[str, Any] = {"data": {"size": 2}, "jhome": {"size": 1}}


class Server(NamedTuple):
    """A server as Nova describes it to an administrator."""

    id: str
    address: str
    volumes: set[str]
    """IDs of the attached volumes."""
    user_data: str


class Changed(NamedTuple):
    """The server before and after a volume was added and an option changed."""

    before: Server
    after: Server
    again: Mapping[automation.OpType, int]
    """Changes in a preview after that, by operation."""
    admin: Connection


@pytest.fixture(scope="module")
def changed(tenant: Connection, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    volumes = dict(VOLUMES)

    def deploy() -> None:
        config = environment(
            cloud={"name": "rsp", "region": "RegionOne"},
            network={"externalNetwork": "external", "cidr": "10.40.0.0/24"},
            nfs={"address": "10.40.0.10", "image": "debian-12", "flavor": "m1.small", "volumes": volumes},
            protect=False,
        )
        options = ResourceOptions(providers=[openstack_provider(config.cloud, config.cloud.region)])
        network = Network("network", openstack_arguments.network(config.network), options)
        args = openstack_arguments.nfs_server(config, network)
        assert args
        NfsServer("nfs", args, options)

    directory = tmp_path_factory.mktemp("nfs")
    with openstack.connect(cloud="admin") as admin:
        try:
            with small_stack(STACK, deploy, directory) as stack:
                stack.up()
                before = _server(admin)
                volumes.update(jhome={"size": 1, "rootSquash": False}, scratch={"size": 1})
                stack.up()
                yield Changed(before, _server(admin), stack.preview().change_summary, admin)
        finally:
            # Pulumi keeps them: they hold data.
            for volume in tenant.block_storage.volumes():
                if volume.name.startswith(f"{SERVER}-"):
                    tenant.block_storage.delete_volume(volume.id)


def test_the_new_server_has_the_address_and_the_volumes_of_the_old_one(changed: Changed) -> None:
    assert changed.after.id != changed.before.id
    assert changed.after.address == changed.before.address == "10.40.0.10"
    assert changed.after.volumes > changed.before.volumes
    assert len(changed.after.volumes) == len(VOLUMES) + 1
    assert changed.again.keys() == {automation.OpType.SAME}


def test_the_change_reaches_the_new_server(changed: Changed) -> None:
    assert "/srv/nfs/scratch" not in changed.before.user_data
    assert "/srv/nfs/scratch 10.40.0.0/24(rw,mp,root_squash" in changed.after.user_data
    assert "/srv/nfs/jhome 10.40.0.0/24(rw,mp,no_root_squash" in changed.after.user_data


def test_the_old_server_was_stopped_before_its_volumes_were_detached(changed: Changed) -> None:
    actions = sorted(changed.admin.compute.server_actions(changed.before.id), key=lambda each: each.start_time)
    assert [each.action for each in actions] == ["create", "stop", "delete"]


def _server(admin: Connection) -> Server:
    (server,) = admin.compute.servers(name=f"^{SERVER}$", all_projects=True)
    ((port,),) = server.addresses.values()
    return Server(
        id=server.id,
        address=port["addr"],
        volumes={each.volume_id for each in admin.compute.volume_attachments(server)},
        user_data=base64.b64decode(server.user_data).decode(),
    )
