from ipaddress import IPv4Address
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator
from pydantic.alias_generators import to_camel

from config.addresses import Address, ClientNetwork, PrivateNetwork
from config.changes import Effect, in_place, refused
from config.section import Name, Section

SMALLEST_POOL = 8
"""Minimum number of addresses for nodes and load balancers."""


class AdoptedNetwork(Section):
    """An existing network with a subnet that is routed to the external network."""

    network: Name = Field(
        description=(
            "Name of the existing network, with port security. A server with a fixed address, such as that of nfs, "
            "requires that it belongs to the same OpenStack project"
        ),
        examples=["site-network"],
    )
    subnet: Name = Field(description="Name of its subnet, whose CIDR must be network.cidr", examples=["site-subnet"])


class NetworkSettings(Section):
    """The private network of the cluster and the NFS server."""

    external_network: Annotated[
        Name,
        refused(
            "the protected floating IP would be replaced, and DNS records refer to it; to accept another address, run "
            "`pulumi state unprotect` for it first"
        ),
    ] = Field(description="External network for the router and the floating IPs", examples=["external"])
    cidr: Annotated[PrivateNetwork, refused("the subnet is in use; deploy another stack with the other network")] = (
        Field(description="CIDR of the subnet", examples=["10.20.0.0/22"])
    )
    reserved_addresses: Annotated[
        int, in_place("updates the subnet's allocation pool; existing ports keep their addresses")
    ] = Field(
        default=32,
        ge=4,
        le=65_536,
        description="Number of addresses at the start of the subnet for the gateway and fixed addresses, without DHCP",
    )
    dns_nameservers: Annotated[
        tuple[Address, ...],
        in_place(
            "updates the subnet; in a platform also the cluster, whose nodes are replaced one after another",
            heat=Effect.REFUSED,
        ),
    ] = Field(
        default=(),
        max_length=5,
        description="Name servers of the subnet; the cloud's default if empty",
        examples=[["9.9.9.9", "149.112.112.112"]],
        json_schema_extra={"uniqueItems": True},
    )
    mtu: Annotated[
        int | None,
        in_place(
            "updates the network; servers and nodes have the new value after they restart. The removal is refused, as "
            "the network would keep the value"
        ),
    ] = Field(
        default=None,
        ge=1280,
        le=9000,
        description=(
            "Largest packet of the network in bytes, at most what the cloud's tunnels leave; the cloud's default in a "
            "new network. Set it if a path to the nodes, such as a VPN, carries less"
        ),
        examples=[1400],
    )
    host_routes: Annotated[
        dict[ClientNetwork, Address],
        in_place("updates the subnet; servers and nodes have the new routes after they renew their DHCP lease"),
    ] = Field(
        default={},
        max_length=20,
        description=(
            "Next hop by destination, for networks that are not behind the default gateway, such as a storage network "
            "with a router of its own; DHCP passes them to servers and nodes"
        ),
        examples=[{"10.30.0.0/16": "10.20.0.5"}],
    )
    adopt: Annotated[
        AdoptedNetwork | None, refused("servers cannot move to another network; deploy another stack in it")
    ] = Field(
        default=None,
        description="Existing network and subnet to use instead of creating them",
    )

    @field_validator("dns_nameservers")
    @classmethod
    def _distinct(cls, servers: tuple[IPv4Address, ...]) -> tuple[IPv4Address, ...]:
        if repeated := sorted({str(each) for each in servers if servers.count(each) > 1}):
            raise ValueError(f"repeats {', '.join(repeated)}: remove the repetition")
        return servers

    @model_validator(mode="after")
    def _roomy(self) -> Self:
        if unusable := [str(each) for each in self.dns_nameservers if each in (self.cidr[0], self.cidr[-1])]:
            raise ValueError(
                f"dnsNameservers {', '.join(unusable)} is the network or broadcast address of cidr {self.cidr}: use "
                "the address of a host, such as 9.9.9.9"
            )
        for destination, hop in self.host_routes.items():
            if destination.overlaps(self.cidr):
                raise ValueError(
                    f"hostRoutes {destination} overlaps cidr {self.cidr}, whose hosts need no route: remove it"
                )
            if hop not in self.cidr or hop in (self.cidr[0], self.cidr[-1]):
                raise ValueError(
                    f"hostRoutes {destination}: {hop} is not a host address in cidr {self.cidr}: set the address "
                    "that the router has in it"
                )
        # Without the network and broadcast addresses.
        if self.cidr.num_addresses - 2 < self.reserved_addresses + SMALLEST_POOL:
            raise ValueError(
                f"cidr {self.cidr} leaves fewer than {SMALLEST_POOL} addresses for nodes after reservedAddresses "
                f"{self.reserved_addresses}: choose a larger cidr or reserve fewer addresses",
            )
        return self

    @model_validator(mode="after")
    def _of_own_subnet(self) -> Self:
        ignored = {"mtu", "host_routes", "reserved_addresses"} & self.model_fields_set
        if self.adopt and ignored:
            keys = ", ".join(sorted(to_camel(each) for each in ignored))
            raise ValueError(f"{keys}: not possible with adopt, as the network belongs to somebody else: remove it")
        return self

    @property
    def node_capacity(self) -> int:
        """Number of addresses for nodes and load balancers; an upper limit if the subnet is adopted."""
        if self.adopt:
            return self.cidr.num_addresses - 3
        first, last = self.allocation_pool
        return int(last) - int(first) + 1

    @property
    def gateway(self) -> IPv4Address:
        """Gateway of the subnet: its first host address."""
        return self.cidr[1]

    @property
    def allocation_pool(self) -> tuple[IPv4Address, IPv4Address]:
        """First and last address of Neutron's allocation pool, which follows the reserved addresses."""
        return self.cidr[self.reserved_addresses + 1], self.cidr[-2]

    def refusal_of(self, address: IPv4Address) -> str | None:
        """Return why a host cannot have a fixed address, and which addresses it can have; None if it can."""
        if address not in self.cidr:
            return f"{address} is outside network.cidr {self.cidr}: choose an address within it"
        if not self.may_be_fixed(address):
            first, last = self.cidr[2], self.allocation_pool[0] - 1
            within = f"{self.cidr}" if self.adopt else f"{first} to {last} (see network.reservedAddresses)"
            return f"{address} cannot be a fixed address: choose a host address in {within}"
        return None

    def may_be_fixed(self, address: IPv4Address) -> bool:
        """Return whether an address can be the fixed address of a host.

        It must be outside the allocation pool, as Neutron could otherwise assign it to another port first. The
        allocation pool of an adopted subnet is not known, so that any host address is accepted.
        """
        if address not in self.cidr or address in (self.cidr[0], self.cidr[-1], self.gateway):
            return False
        return self.adopt is not None or address < self.allocation_pool[0]
