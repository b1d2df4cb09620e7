from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

import pulumi
from pulumi_openstack import networking

from config.names import cloud_name


@dataclass(frozen=True, kw_only=True)
class NewSubnet:
    """Layout of a subnet to create."""

    gateway: IPv4Address
    """Address of the router."""
    allocation_pool: tuple[IPv4Address, IPv4Address]
    """First and last address that Neutron allocates; all others are available as fixed addresses."""
    dns_nameservers: tuple[IPv4Address, ...]
    """DNS servers of the subnet's hosts; the cloud's default if empty."""
    mtu: int | None
    """Maximum transmission unit of the network in bytes; the cloud's default if None."""
    host_routes: Mapping[IPv4Network, IPv4Address]
    """Next hop by destination, for the subnet's hosts."""


@dataclass(frozen=True, kw_only=True)
class ExistingSubnet:
    """An existing subnet to use; it must be routed to the external network."""

    network: str
    """Name of the network."""
    subnet: str
    """Name of the subnet."""


@dataclass(frozen=True, kw_only=True)
class NetworkArgs:
    """Arguments of a `Network`."""

    external_network: str
    """Name of the existing external network."""
    cidr: IPv4Network
    """Address range of the subnet."""
    layout: NewSubnet | ExistingSubnet
    """Layout of the subnet to create, or the subnet to use."""


class Network(pulumi.ComponentResource):
    """A private network that is routed to the external network, created or existing."""

    network_id: pulumi.Output[str]
    """ID of the network."""
    subnet_id: pulumi.Output[str]
    """ID of the subnet; known once the subnet is routed, so that hosts in it can reach the external network."""
    external_network_id: pulumi.Output[str]
    """ID of the external network."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:Network", name, None, opts)
        look_up = pulumi.InvokeOptions(parent=self)
        external = networking.get_network_output(name=args.external_network, external=True, opts=look_up)
        self.external_network_id = external.id
        match args.layout:
            case ExistingSubnet(network=network_name, subnet=subnet_name):
                network_id = networking.get_network_output(name=network_name, opts=look_up).id
                subnet = networking.get_subnet_output(name=subnet_name, network_id=network_id, opts=look_up)
                self.network_id, self.subnet_id = network_id, subnet.id
            case NewSubnet() as layout:
                self._create(name, args.cidr, layout)
        self.register_outputs(
            {
                "networkId": self.network_id,
                "subnetId": self.subnet_id,
                "externalNetworkId": self.external_network_id,
            },
        )

    def _create(self, name: str, cidr: IPv4Network, layout: NewSubnet) -> None:
        """Create network, subnet, router and router interface."""
        child = pulumi.ResourceOptions(parent=self)
        label = cloud_name(pulumi.get_stack(), name, pulumi.get_project())
        network = networking.Network(f"{name}-network", name=label, mtu=layout.mtu, opts=child)
        first, last = layout.allocation_pool
        subnet = networking.Subnet(
            f"{name}-subnet",
            name=label,
            network_id=network.id,
            ip_version=4,
            cidr=str(cidr),
            gateway_ip=str(layout.gateway),
            allocation_pools=[{"start": str(first), "end": str(last)}],
            dns_nameservers=[str(each) for each in layout.dns_nameservers],
            opts=child,
        )
        for destination, hop in layout.host_routes.items():
            networking.SubnetRoute(
                f"{name}-route-{destination.network_address}-{destination.prefixlen}",
                subnet_id=subnet.id,
                destination_cidr=str(destination),
                next_hop=str(hop),
                opts=child,
            )
        router = networking.Router(
            f"{name}-router",
            name=label,
            external_network_id=self.external_network_id,
            opts=child,
        )
        interface = networking.RouterInterface(
            f"{name}-interface",
            router_id=router.id,
            subnet_id=subnet.id,
            opts=child,
        )
        self.network_id, self.subnet_id = network.id, interface.subnet_id.apply(_known)


def _known(subnet_id: str | None) -> str:
    """Return the subnet ID of a router interface, which the SDK declares as optional."""
    if subnet_id is None:
        raise pulumi.RunError("the router's interface has no subnet: run `pulumi refresh`")
    return subnet_id
