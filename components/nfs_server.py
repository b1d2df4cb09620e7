from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi
from pulumi_openstack import blockstorage

from components import stateless_vm
from components.nfs_cloud_init import Export, render
from components.stateless_vm import Disk, Flow, Machine, Place, ServerArgs

NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """An exported Cinder volume."""

    size: int
    """Size in GiB."""
    type: str | None = None
    """Cinder volume type; the cloud's default type if None."""
    root_squash: bool = True
    """Whether requests of a client's root are mapped to nobody."""
    read_only: bool = False
    """Whether the export is read-only."""


@dataclass(frozen=True, kw_only=True)
class NfsServerArgs:
    """Arguments of an `NfsServer`."""

    place: Place
    """Network, subnet and address of the server."""
    machine: Machine
    """Image, flavor and keypair of the server."""
    clients: IPv4Network
    """Network of the clients, the subnet of the cluster's nodes; all others are refused."""
    volumes: Mapping[str, DataVolume]
    """Data volumes by the name of their export."""
    protect: bool = True
    """Whether to protect the volumes."""


class NfsServer(pulumi.ComponentResource):
    """An NFS 4.1 server: a stateless VM whose data are on Cinder volumes that outlive it."""

    address: pulumi.Output[str]
    """IPv4 address of the server; known at preview."""
    exports: list[str]
    """Paths that clients mount, sorted."""

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:NfsServer", name, None, opts)
        self.exports = sorted(f"/{export}" for export in args.volumes)
        volumes = {
            export: stateless_vm.data_volume(
                self,
                f"{name}-{export}",
                Disk(size=volume.size, type=volume.type),
                description=f"NFS export /{export}",
                protect=args.protect,
            )
            # Sorted: the order in the stack file must not change the server.
            for export, volume in sorted(args.volumes.items())
        }
        port = stateless_vm.locked_down_port(
            self,
            name,
            args.place,
            description="NFS from the cluster's subnet, and egress of the server",
            ingress={"nfs": Flow("tcp", NFS_PORT, "NFS from the cluster's subnet", str(args.clients))},
        )
        self.address = pulumi.Output.from_input(str(args.place.address))
        stateless_vm.server(
            self,
            name,
            ServerArgs(
                machine=args.machine,
                port=port,
                user_data=self._user_data(args, volumes),
                volumes=list(volumes.values()),
            ),
        )
        self.register_outputs({"address": self.address, "exports": self.exports})

    def _user_data(
        self,
        args: NfsServerArgs,
        volumes: Mapping[str, blockstorage.Volume],
    ) -> pulumi.Output[str]:
        def build(ids: Mapping[str, str]) -> str:
            exports = [
                Export(name=key, volume_id=ids[key], root_squash=each.root_squash, read_only=each.read_only)
                for key, each in sorted(args.volumes.items())
            ]
            return render(exports, args.clients)

        return pulumi.Output.all(**{key: volume.id for key, volume in volumes.items()}).apply(build)
