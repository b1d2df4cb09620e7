from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from typing import NamedTuple

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from components.nfs_cloud_init import Export, render
from config.names import cloud_name

NFS_PORT = 2049


class _Flow(NamedTuple):
    """Outgoing traffic that the server needs."""

    protocol: str
    port: int
    purpose: str


EGRESS: Mapping[str, _Flow] = {
    "dns-udp": _Flow("udp", 53, "Names of the package mirrors"),
    "dns-tcp": _Flow("tcp", 53, "Names of the package mirrors, long answers"),
    "ntp": _Flow("udp", 123, "Time"),
    "http": _Flow("tcp", 80, "Package mirrors, the cloud's metadata service"),
    "https": _Flow("tcp", 443, "Package mirrors"),
}
"""All that the server may open by itself; to anywhere, since mirrors and time servers have no fixed addresses."""


@dataclass(frozen=True, kw_only=True)
class DataVolume:
    """A volume that is exported under its key in `NfsServerArgs.volumes`."""

    size: int
    """Size in GiB."""
    type: str | None = None
    """Cinder volume type; the cloud's default type if None."""
    root_squash: bool = True
    """Whether a client's root becomes nobody."""
    read_only: bool = False
    """Whether writes are refused."""


@dataclass(frozen=True, kw_only=True)
class NfsServerArgs:
    """What an `NfsServer` is made from."""

    network_id: pulumi.Input[str]
    """Id of the network."""
    subnet_id: pulumi.Input[str]
    """Id of the subnet, routed so that the first boot can install packages."""
    clients: IPv4Network
    """The only addresses that may mount anything: the subnet of the cluster's nodes."""
    address: IPv4Address
    """The server's fixed address in the subnet."""
    image: str
    """Name of a Glance image of Debian 12 or later."""
    flavor: str
    """Name of a Nova flavor."""
    volumes: Mapping[str, DataVolume]
    """The data volumes by the name of their export."""
    keypair: str | None = None
    """Name of a Nova keypair, for the console; the security group lets nobody in by SSH."""
    protect: bool = True
    """Refuse to delete the volumes."""


class NfsServer(pulumi.ComponentResource):
    """An NFS 4.1 server: a VM without data of its own, with Cinder volumes that outlive it."""

    address: pulumi.Output[str]
    """The server's IPv4 address; known at preview."""
    exports: list[str]
    """The paths that clients mount, sorted."""

    def __init__(self, name: str, args: NfsServerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:NfsServer", name, None, opts)
        self.exports = sorted(f"/{export}" for export in args.volumes)
        volumes = {export: self._volume(name, export, volume, args) for export, volume in args.volumes.items()}
        port = self._port(name, args)
        self.address = port.fixed_ips.apply(lambda _: str(args.address))
        server = self._server(name, args, port, self._user_data(args, volumes))
        for export, volume in volumes.items():
            compute.VolumeAttach(
                f"{name}-{export}-attachment",
                instance_id=server.id,
                volume_id=volume.id,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"address": self.address, "exports": self.exports})

    def _volume(self, name: str, export: str, volume: DataVolume, args: NfsServerArgs) -> blockstorage.Volume:
        return blockstorage.Volume(
            f"{name}-{export}",
            name=cloud_name(pulumi.get_stack(), f"{name}-{export}"),
            description=f"NFS export /{export} of the Rubin Science Platform ({pulumi.get_stack()})",
            size=volume.size,
            volume_type=volume.type,
            # A volume in use can grow; the file system follows at the server's next boot.
            enable_online_resize=True,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=True),
        )

    def _port(self, name: str, args: NfsServerArgs) -> networking.Port:
        """The port that carries the fixed address, in a security group that is closed but for what is named."""
        child = pulumi.ResourceOptions(parent=self)
        label = cloud_name(pulumi.get_stack(), name)
        group = networking.SecGroup(
            f"{name}-group",
            name=label,
            description="NFS from the cluster's subnet, and what the server itself needs",
            # Neutron's own rules allow all outgoing traffic.
            delete_default_rules=True,
            opts=child,
        )
        networking.SecGroupRule(
            f"{name}-ingress-nfs",
            security_group_id=group.id,
            description="NFS from the cluster's subnet",
            direction="ingress",
            ethertype="IPv4",
            protocol="tcp",
            port_range_min=NFS_PORT,
            port_range_max=NFS_PORT,
            remote_ip_prefix=str(args.clients),
            opts=child,
        )
        for key, flow in EGRESS.items():
            networking.SecGroupRule(
                f"{name}-egress-{key}",
                security_group_id=group.id,
                description=flow.purpose,
                direction="egress",
                ethertype="IPv4",
                protocol=flow.protocol,
                port_range_min=flow.port,
                port_range_max=flow.port,
                remote_ip_prefix="0.0.0.0/0",
                opts=child,
            )
        return networking.Port(
            f"{name}-port",
            name=label,
            network_id=args.network_id,
            fixed_ips=[{"subnet_id": args.subnet_id, "ip_address": str(args.address)}],
            security_group_ids=[group.id],
            opts=child,
        )

    def _user_data(
        self,
        args: NfsServerArgs,
        volumes: Mapping[str, blockstorage.Volume],
    ) -> pulumi.Output[str]:
        def build(ids: Mapping[str, str]) -> str:
            exports = [
                Export(name=key, volume_id=ids[key], root_squash=each.root_squash, read_only=each.read_only)
                for key, each in args.volumes.items()
            ]
            return render(exports, args.clients)

        return pulumi.Output.all(**{key: volume.id for key, volume in volumes.items()}).apply(build)

    def _server(
        self,
        name: str,
        args: NfsServerArgs,
        port: networking.Port,
        user_data: pulumi.Output[str],
    ) -> compute.Instance:
        return compute.Instance(
            f"{name}-server",
            name=cloud_name(pulumi.get_stack(), name),
            image_name=args.image,
            flavor_name=args.flavor,
            key_pair=args.keypair,
            networks=[{"port": port.id}],
            user_data=user_data,
            config_drive=True,
            # A clean shutdown writes out what clients believe to be on disk.
            stop_before_destroy=True,
            opts=pulumi.ResourceOptions(
                parent=self,
                # The provider would rebuild a running server for a new image and replace it for a changed first boot,
                # under its clients: both take effect when somebody replaces it on purpose (pulumi up --replace URN).
                ignore_changes=["imageName", "imageId", "userData"],
                # Port and volumes serve one server at a time.
                delete_before_replace=True,
            ),
        )
