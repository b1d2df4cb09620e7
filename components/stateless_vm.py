"""What a server without data of its own is made of: volumes that outlive it, a closed port, a VM that can be replaced.

For components that are such a server; the resources become their children.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from config.names import cloud_name


class Flow(NamedTuple):
    """Traffic that a security group lets through."""

    protocol: str
    """tcp or udp."""
    port: int
    """Port at its destination."""
    purpose: str
    """What it is for; its description in Neutron."""
    remote: pulumi.Input[str] = "0.0.0.0/0"
    """Network that it comes from or goes to, in CIDR notation."""


EGRESS: Mapping[str, Flow] = {
    "dns-udp": Flow("udp", 53, "Names of the package mirrors"),
    "dns-tcp": Flow("tcp", 53, "Names of the package mirrors, long answers"),
    "ntp": Flow("udp", 123, "Time"),
    "http": Flow("tcp", 80, "Package mirrors, the cloud's metadata service"),
    "https": Flow("tcp", 443, "Package mirrors"),
}
"""All that a server may open by itself; to anywhere, since mirrors and time servers have no fixed addresses."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a server stands."""

    network_id: pulumi.Input[str]
    """Id of the network."""
    subnet_id: pulumi.Input[str]
    """Id of the subnet, routed so that the first boot can install packages."""
    address: IPv4Address
    """The server's fixed address in the subnet."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a server runs on."""

    image: str
    """Name of a Glance image of Debian 12 or later."""
    flavor: str
    """Name of a Nova flavor."""
    keypair: str | None = None
    """Name of a Nova keypair, for the console; no security group lets anybody in by SSH."""


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
    """A volume whose data outlive the server and the stack."""
    return blockstorage.Volume(
        name,
        name=cloud_name(pulumi.get_stack(), name),
        description=f"{description} of the Rubin Science Platform ({pulumi.get_stack()})",
        size=disk.size,
        volume_type=disk.type,
        # A volume in use can grow; the file system follows at the server's next boot.
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
    """The port that carries the fixed address, closed but for ``ingress`` and ``EGRESS``."""
    child = pulumi.ResourceOptions(parent=parent)
    label = cloud_name(pulumi.get_stack(), name)
    group = networking.SecGroup(
        f"{name}-group",
        name=label,
        description=description,
        # Neutron's own rules allow all outgoing traffic.
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
        opts=child,
    )


def server(
    parent: pulumi.Resource,
    name: str,
    machine: Machine,
    port: networking.Port,
    user_data: pulumi.Output[str],
) -> compute.Instance:
    """The VM; everything that it is follows from its image and first boot."""
    return compute.Instance(
        f"{name}-server",
        name=cloud_name(pulumi.get_stack(), name),
        image_name=machine.image,
        flavor_name=machine.flavor,
        key_pair=machine.keypair,
        networks=[{"port": port.id}],
        user_data=user_data,
        config_drive=True,
        # A clean shutdown writes out what clients believe to be on disk.
        stop_before_destroy=True,
        opts=pulumi.ResourceOptions(
            parent=parent,
            # The provider would rebuild a running server for a new image and replace it for a changed first boot,
            # under its clients: both take effect when somebody replaces it on purpose (pulumi up --replace URN).
            ignore_changes=["imageName", "imageId", "userData"],
            # Port and volumes serve one server at a time.
            delete_before_replace=True,
        ),
    )
