from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
from pulumi_openstack import sharedfilesystem

from config.names import cloud_name


@dataclass(frozen=True, kw_only=True)
class SharedFilesystemArgs:
    """Arguments of a `SharedFilesystem`."""

    size: int
    """Size in GiB."""
    protocol: Literal["NFS", "CEPHFS"]
    """Protocol of the clients."""
    type: str | None
    """Manila share type; the cloud's default type if None."""
    network: str | None
    """Name of a Manila share network; None for share types without share servers."""
    read_only: bool
    """Whether clients can only read."""
    clients: Sequence[IPv4Network]
    """Networks of NFS clients; none with CephFS, which identifies a client by its key."""
    protect: bool
    """Whether to protect the share, which holds data."""


class SharedFilesystem(pulumi.ComponentResource):
    """A Manila share and its access rules: networks for NFS, a cephx identity for CephFS."""

    location: pulumi.Output[str]
    """What clients mount: ``SERVER:PATH``; with CephFS, the server is a list of Ceph's monitors."""
    server: pulumi.Output[str]
    """Address of the server, or of the monitors separated by commas."""
    path: pulumi.Output[str]
    """Absolute path on the server."""
    identity: str | None
    """Name of the cephx identity; None with NFS."""
    access_key: pulumi.Output[str] | None
    """Key of the cephx identity (secret); None with NFS."""

    def __init__(self, name: str, args: SharedFilesystemArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:SharedFilesystem", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        # Cephx identities have names that are unique in a whole Ceph cluster.
        own = cloud_name(pulumi.get_stack(), name)
        network_id = None
        if args.network:
            invoke = pulumi.InvokeOptions(parent=self)
            network_id = sharedfilesystem.get_share_network_output(name=args.network, opts=invoke).id
        share = sharedfilesystem.Share(
            name,
            name=own,
            description=f"Files of the Rubin Science Platform ({pulumi.get_stack()})",
            size=args.size,
            share_proto=args.protocol,
            share_type=args.type,
            share_network_id=network_id,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, retain_on_delete=True),
        )
        self.location = share.export_locations.apply(_preferred)
        self.server = self.location.apply(lambda location: location.partition(":/")[0])
        self.path = self.location.apply(lambda location: "/" + location.partition(":/")[2])
        level = "ro" if args.read_only else "rw"
        # Manila refuses a second rule for the same client.
        rule = pulumi.ResourceOptions.merge(child, pulumi.ResourceOptions(delete_before_replace=True))
        self.identity = self.access_key = None
        if args.protocol == "CEPHFS":
            self.identity = own
            access = sharedfilesystem.ShareAccess(
                f"{name}-access",
                share_id=share.id,
                access_type="cephx",
                access_to=own,
                access_level=level,
                opts=rule,
            )
            self.access_key = pulumi.Output.secret(access.access_key)
        for client in args.clients:
            sharedfilesystem.ShareAccess(
                f"{name}-access-{client}",
                share_id=share.id,
                access_type="ip",
                access_to=str(client),
                access_level=level,
                opts=rule,
            )
        self.register_outputs({"location": self.location, "accessKey": self.access_key})


def _preferred(locations: Sequence[sharedfilesystem.outputs.ShareExportLocation]) -> str:
    """Return the path of the export location that Manila prefers, or of the first one.

    Raises:
        pulumi.RunError: The share has none.
    """
    paths = [each.path for each in sorted(locations, key=lambda each: each.preferred != "true") if each.path]
    if not paths:
        raise pulumi.RunError(
            "Manila has given the share no export location: see `openstack share export location list SHARE`, and ask "
            "the cloud's administrators"
        )
    return paths[0]
