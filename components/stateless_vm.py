"""Resources of a stateless server: volumes that outlive it, a port with a security group, and a replaceable VM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

import pulumi
from pulumi_openstack import blockstorage, compute, images, networking

from config.names import cloud_name


class Flow(NamedTuple):
    """Traffic that a security group allows."""

    protocol: str
    """Protocol: tcp or udp."""
    port: int
    """Destination port."""
    purpose: str
    """Description of the rule in Neutron."""
    remote: pulumi.Input[str] = "0.0.0.0/0"
    """Source or destination network in CIDR notation."""


EGRESS: Mapping[str, Flow] = {
    "dns-udp": Flow("udp", 53, "Names of the package mirrors"),
    "dns-tcp": Flow("tcp", 53, "Names of the package mirrors, long answers"),
    "ntp": Flow("udp", 123, "Time"),
    "http": Flow("tcp", 80, "Package mirrors, the cloud's metadata service"),
    "https": Flow("tcp", 443, "Package mirrors"),
}
"""Connections that a server may open, to any address: mirrors and time servers have no fixed addresses."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Network, subnet and address of a server."""

    network_id: pulumi.Input[str]
    """ID of the network."""
    subnet_id: pulumi.Input[str]
    """ID of the subnet, which must be routed so that the first boot can install packages."""
    address: IPv4Address
    """Fixed address in the subnet."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """Image, flavor and keypair of a server."""

    image: str
    """Name of a Glance image of Debian 12 or later."""
    flavor: str
    """Name of a Nova flavor."""
    keypair: str | None = None
    """Name of a Nova keypair; no security group allows SSH."""


@dataclass(frozen=True, kw_only=True)
class Disk:
    """A Cinder volume for data."""

    size: int
    """Size in GiB."""
    type: str | None = None
    """Cinder volume type; the cloud's default type if None."""


def data_volume(
    parent: pulumi.Resource, name: str, disk: Disk, *, description: str, protect: bool
) -> blockstorage.Volume:
    """Create a volume whose data outlive the server and the stack."""
    return blockstorage.Volume(
        name,
        name=cloud_name(pulumi.get_stack(), name, pulumi.get_project()),
        description=f"{description} of the Rubin Science Platform ({pulumi.get_stack()})",
        size=disk.size,
        volume_type=disk.type,
        # An attached volume can grow; its file system grows at the next boot.
        enable_online_resize=True,
        opts=pulumi.ResourceOptions(parent=parent, protect=protect, retain_on_delete=True),
    )


def locked_down_port(
    parent: pulumi.Resource,
    name: str,
    place: Place,
    *,
    description: str,
    ingress: Mapping[str, Flow],
) -> networking.Port:
    """Create the port with the fixed address, which allows only ``ingress`` and ``EGRESS``."""
    child = pulumi.ResourceOptions(parent=parent)
    label = cloud_name(pulumi.get_stack(), name, pulumi.get_project())
    group = networking.SecGroup(
        f"{name}-group",
        name=label,
        description=description,
        # The default rules allow all egress.
        delete_default_rules=True,
        opts=child,
    )
    for direction, flows in (("ingress", ingress), ("egress", EGRESS)):
        for key, flow in flows.items():
            networking.SecGroupRule(
                f"{name}-{direction}-{key}",
                security_group_id=group.id,
                description=flow.purpose,
                direction=direction,
                ethertype="IPv4",
                protocol=flow.protocol,
                port_range_min=flow.port,
                port_range_max=flow.port,
                remote_ip_prefix=flow.remote,
                opts=child,
            )
    return networking.Port(
        f"{name}-port",
        name=label,
        network_id=place.network_id,
        fixed_ips=[{"subnet_id": place.subnet_id, "ip_address": str(place.address)}],
        security_group_ids=[group.id],
        opts=pulumi.ResourceOptions(
            parent=parent,
            # Updated in place, the port of a running VM would have an address that the VM does not use. With the port,
            # the VM is replaced.
            replace_on_changes=["fixedIps"],
            delete_before_replace=True,
        ),
    )


@dataclass(frozen=True, kw_only=True)
class ServerArgs:
    """Arguments of `server`."""

    machine: Machine
    """Image, flavor and keypair."""
    port: networking.Port
    """Port with the fixed address."""
    user_data: pulumi.Output[str]
    """User data for cloud-init."""
    volumes: Sequence[blockstorage.Volume]
    """Data volumes."""


def server(parent: pulumi.Resource, name: str, args: ServerArgs) -> compute.Instance:
    """Create the VM, which is fully described by its image, user data and volumes.

    A change of user data or volumes replaces it: the old VM is shut down and deleted, and the new one gets the same
    port and the same volumes. The volumes are block devices of the VM: Pulumi would delete attachments first, and so
    detach the volumes while the VM is still running.
    """
    machine = args.machine
    image_id = images.get_image_ids_output(
        name=machine.image, sort="created_at:desc", opts=pulumi.InvokeOptions(parent=parent)
    ).ids.apply(lambda found: found[0] if found else "")
    return compute.Instance(
        f"{name}-server",
        name=cloud_name(pulumi.get_stack(), name, pulumi.get_project()),
        image_id=image_id,
        flavor_name=machine.flavor,
        key_pair=machine.keypair,
        networks=[{"port": args.port.id}],
        block_devices=[
            compute.InstanceBlockDeviceArgs(
                uuid=image_id,
                source_type="image",
                destination_type="local",
                boot_index=0,
                delete_on_termination=True,
            ),
            *(
                compute.InstanceBlockDeviceArgs(
                    uuid=volume.id, source_type="volume", destination_type="volume", boot_index=-1
                )
                for volume in args.volumes
            ),
        ],
        user_data=args.user_data,
        config_drive=True,
        # A clean shutdown writes all acknowledged data to the volumes.
        stop_before_destroy=True,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # A newer image, or one that was removed from Glance, is no reason to replace a running server.
            ignore_changes=["imageId", "blockDevices[0].uuid"],
            # Port and volumes can be attached to one server at a time.
            delete_before_replace=True,
        ),
    )
