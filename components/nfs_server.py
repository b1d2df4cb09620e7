from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

import pulumi

from components.nfs_cloud_init import Export, ExportOptions, render
from components.stateless_vm import SecurityGroupRule, StatelessVm, StatelessVmArgs
from config.names import nfs_volume_description

NFS_PORT = 2049


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """An exported Cinder volume."""

    size: int
    """Size in GiB."""
    type: str | None
    """Cinder volume type; the cloud's default type if None."""
    availability_zone: str | None
    """Cinder availability zone; the cloud's default zone if None."""
    options: ExportOptions
    """Options of its export."""


@dataclass(frozen=True, kw_only=True)
class NfsServerArgs(StatelessVmArgs):
    """Arguments of an `NfsServer`, in addition to those of each `StatelessVm`."""

    clients: IPv4Network
    """Network of the clients, the subnet of the cluster's nodes; all others are refused."""
    volumes: Mapping[str, DataVolume]
    """Data volumes by the name of their export."""


class NfsServer(pulumi.ComponentResource):
    """An NFS 4.1 server: a stateless VM, with its data on Cinder volumes that outlive it."""

    address: pulumi.Output[str]
    """IPv4 address of the server; known at preview."""
    exports: list[str]
    """Paths that clients mount, sorted."""

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:NfsServer", name, None, opts)
        self.address = pulumi.Output.from_input(str(args.address))
        self.exports = sorted(f"/{export}" for export in args.volumes)
        vm = StatelessVm(self, name, args)
        volumes = {
            export: vm.data_volume(
                export,
                size=volume.size,
                volume_type=volume.type,
                availability_zone=volume.availability_zone,
                description=nfs_volume_description(pulumi.get_stack(), export),
            )
            # Sorted: the order in the stack file must not change the server.
            for export, volume in sorted(args.volumes.items())
        }
        nfs = SecurityGroupRule(
            port=NFS_PORT, description="NFS from the cluster's subnet", remote_ip_prefix=str(args.clients)
        )
        port = vm.port({"nfs": nfs}, description="NFS from the cluster's subnet, and egress of the server")
        user_data = pulumi.Output.all(**{export: volume.id for export, volume in volumes.items()}).apply(
            lambda ids: render(
                [Export(name=each, volume_id=ids[each], options=args.volumes[each].options) for each in volumes],
                args.clients,
            )
        )
        vm.server(port, user_data, list(volumes.values()))
        self.register_outputs({"address": self.address, "exports": self.exports})
