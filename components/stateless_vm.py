"""Resources of a stateless server: volumes that outlive it, a port with a security group, and a replaceable VM."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
from pulumi_openstack import blockstorage, compute, networking

from components.glance_images import newest_id
from config.names import cloud_name


@dataclass(frozen=True, kw_only=True)
class SecurityGroupRule:
    """Traffic that a security group allows."""

    protocol: str = "tcp"
    """Protocol: tcp or udp."""
    port: int
    """Destination port."""
    description: str
    """Description in Neutron."""
    remote_ip_prefix: str = "0.0.0.0/0"
    """Source or destination network in CIDR notation."""


EGRESS: Mapping[str, SecurityGroupRule] = {
    "dns-udp": SecurityGroupRule(protocol="udp", port=53, description="Names of the package mirrors"),
    "dns-tcp": SecurityGroupRule(port=53, description="Names of the package mirrors, long answers"),
    "ntp": SecurityGroupRule(protocol="udp", port=123, description="Time"),
    "http": SecurityGroupRule(port=80, description="Package mirrors, the cloud's metadata service"),
    "https": SecurityGroupRule(port=443, description="Package mirrors"),
}
"""Connections that a server may open, to any address: mirrors and time servers have no fixed addresses."""


@dataclass(frozen=True, kw_only=True)
class BootVolume:
    """A root disk in Cinder, which Nova deletes with the server."""

    size: int
    """Size in GiB."""
    type: str | None
    """Cinder volume type; the cloud's default type if None."""


@dataclass(frozen=True, kw_only=True)
class StatelessVmArgs:
    """Arguments that all components with a `StatelessVm` have."""

    network_id: pulumi.Input[str]
    """ID of the server's network."""
    subnet_id: pulumi.Input[str]
    """ID of its subnet, which must be routed so that the first boot can install packages."""
    address: IPv4Address
    """Fixed address of the server in the subnet."""
    image: str
    """Name of a Glance image of Debian 12 or later."""
    flavor: str
    """Name of a Nova flavor."""
    boot_volume: BootVolume | None
    """Root disk in Cinder; the flavor's disk if None."""
    keypair: str | None
    """Name of a Nova keypair; no security group allows SSH."""
    availability_zone: str | None
    """Nova availability zone; any if None."""
    protect: bool
    """Whether to protect the volumes, and the floating IP if there is one."""


class StatelessVm:
    """Creates the resources of a server.

    Args:
        parent: Component that the resources belong to.
        name: Prefix of the resources' names.
        args: Arguments of the component.
    """

    def __init__(self, parent: pulumi.Resource, name: str, args: StatelessVmArgs) -> None:
        self._parent = parent
        self._name = name
        self._args = args

    def data_volume(
        self, suffix: str, *, size: int, volume_type: str | None, availability_zone: str | None, description: str
    ) -> blockstorage.Volume:
        """Create a volume whose data outlives the server and the stack.

        Args:
            suffix: Last part of the volume's name.
            size: Size in GiB.
            volume_type: Cinder volume type; the cloud's default type if None.
            availability_zone: Cinder availability zone; the cloud's default zone if None.
            description: Description in Cinder, which identifies it as the stack's.
        """
        name = f"{self._name}-{suffix}"
        return blockstorage.Volume(
            name,
            name=self._cloud_name(name),
            description=description,
            size=size,
            volume_type=volume_type,
            availability_zone=availability_zone,
            # An attached volume can grow; its file system grows at the next boot.
            enable_online_resize=True,
            opts=pulumi.ResourceOptions(
                parent=self._parent,
                protect=self._args.protect,
                retain_on_delete=True,
                # A restored volume has a source, which is no reason to replace it by an empty one.
                ignore_changes=["snapshotId", "backupId", "sourceVolId"],
            ),
        )

    def port(
        self,
        ingress: Mapping[str, SecurityGroupRule],
        *,
        egress: Mapping[str, SecurityGroupRule] | None = None,
        description: str,
    ) -> networking.Port:
        """Create the port with the fixed address, and its security group.

        Args:
            ingress: Rules of the security group for connections to the server, by name.
            egress: Rules for connections of the server, by name, in addition to `EGRESS`.
            description: Description of the security group in Neutron.
        """
        child = pulumi.ResourceOptions(parent=self._parent)
        group = networking.SecGroup(
            f"{self._name}-group",
            name=self._cloud_name(self._name),
            description=description,
            # The default rules allow all egress.
            delete_default_rules=True,
            opts=child,
        )
        for direction, rules in (("ingress", ingress), ("egress", {**EGRESS, **(egress or {})})):
            for key, rule in rules.items():
                networking.SecGroupRule(
                    f"{self._name}-{direction}-{key}",
                    security_group_id=group.id,
                    description=rule.description,
                    direction=direction,
                    ethertype="IPv4",
                    protocol=rule.protocol,
                    port_range_min=rule.port,
                    port_range_max=rule.port,
                    remote_ip_prefix=rule.remote_ip_prefix,
                    opts=child,
                )
        return networking.Port(
            f"{self._name}-port",
            name=self._cloud_name(self._name),
            network_id=self._args.network_id,
            fixed_ips=[{"subnet_id": self._args.subnet_id, "ip_address": str(self._args.address)}],
            security_group_ids=[group.id],
            opts=pulumi.ResourceOptions(
                parent=self._parent,
                # Updated in place, the port of a running VM would have an address that the VM does not use. With the
                # port, the VM is replaced.
                replace_on_changes=["fixedIps"],
                delete_before_replace=True,
            ),
        )

    def server(
        self, port: networking.Port, user_data: pulumi.Output[str], volumes: Sequence[blockstorage.Volume]
    ) -> compute.Instance:
        """Create the VM, which is fully described by its image, user data and volumes.

        A change of user data, volumes or the name of the image replaces it: the old VM is shut down and deleted, and
        the new one gets the same port and the same volumes. The volumes are block devices of the VM, not attachment
        resources: Pulumi would delete these first, and so detach the volumes while the VM is still running.

        Args:
            port: Port with the fixed address.
            user_data: User data for cloud-init.
            volumes: Data volumes.
        """
        image_id = newest_id(self._args.image, self._parent)
        return compute.Instance(
            f"{self._name}-server",
            name=self._cloud_name(self._name),
            image_id=image_id,
            flavor_name=self._args.flavor,
            key_pair=self._args.keypair,
            availability_zone=self._args.availability_zone,
            networks=[{"port": port.id}],
            block_devices=[
                _root_disk(image_id, self._args.boot_volume),
                *(
                    compute.InstanceBlockDeviceArgs(
                        uuid=volume.id, source_type="volume", destination_type="volume", boot_index=-1
                    )
                    for volume in volumes
                ),
            ],
            user_data=user_data,
            config_drive=True,
            # A clean shutdown writes all acknowledged data to the volumes.
            stop_before_destroy=True,
            # With `reclaim_instance_interval`, Nova would keep the old VM, with the port and volumes of the new one.
            force_delete=True,
            opts=pulumi.ResourceOptions(
                parent=self._parent,
                # A newer image of the same name, or one that was removed from Glance, is no reason to replace a running
                # server; another name is.
                ignore_changes=["imageId", "blockDevices[0].uuid"],
                replacement_trigger=self._args.image,
                # Port and volumes can be attached to one server at a time.
                delete_before_replace=True,
            ),
        )

    def _cloud_name(self, name: str) -> str:
        return cloud_name(pulumi.get_stack(), name, pulumi.get_project())


def _root_disk(image_id: pulumi.Output[str], volume: BootVolume | None) -> compute.InstanceBlockDeviceArgs:
    return compute.InstanceBlockDeviceArgs(
        uuid=image_id,
        source_type="image",
        destination_type="volume" if volume else "local",
        volume_size=volume.size if volume else None,
        volume_type=volume.type if volume else None,
        boot_index=0,
        delete_on_termination=True,
    )
