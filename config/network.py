from ipaddress import IPv4Address, IPv4Network
from typing import Self

from pydantic import Field, field_validator, model_validator

from config.section import Name, Section

SMALLEST_POOL = 8
"""Addresses that must remain for nodes and load balancers."""


class AdoptedNetwork(Section):
    """A network that exists already, with its subnet routed to the external network by somebody else."""

    network: Name = Field(description="Name of the existing network")
    subnet: Name = Field(description="Name of its subnet; its CIDR must be that of network.cidr")


class Network(Section):
    """The private network of the cluster's nodes and of the NFS server."""

    external_network: Name = Field(description="External network for the router and the floating IPs")
    cidr: IPv4Network = Field(description="Addresses of the subnet, such as 10.20.0.0/22")
    reserved_addresses: int = Field(
        default=32,
        ge=4,
        description="Addresses at the start of the subnet that DHCP never hands out: the gateway and fixed addresses",
    )
    dns_nameservers: tuple[IPv4Address, ...] = Field(
        default=(),
        max_length=5,
        description="Name servers for the subnet's hosts; the cloud's own if empty",
    )
    adopt: AdoptedNetwork | None = Field(
        default=None,
        description="An existing network and subnet to use instead of creating them",
    )

    @field_validator("cidr")
    @classmethod
    def _private(cls, cidr: IPv4Network) -> IPv4Network:
        if not cidr.is_private:
            raise ValueError("must be a private network (RFC 1918), such as 10.20.0.0/22")
        return cidr

    @model_validator(mode="after")
    def _roomy(self) -> Self:
        # Network and broadcast address are no hosts.
        if self.cidr.num_addresses - 2 < self.reserved_addresses + SMALLEST_POOL:
            raise ValueError(
                f"cidr {self.cidr} leaves fewer than {SMALLEST_POOL} addresses for nodes beside the "
                f"{self.reserved_addresses} of reservedAddresses: choose a larger cidr or reserve fewer",
            )
        return self

    @property
    def gateway(self) -> IPv4Address:
        """The subnet's first host address."""
        return self.cidr[1]

    @property
    def allocation_pool(self) -> tuple[IPv4Address, IPv4Address]:
        """First and last address that Neutron may hand out; those before it are for fixed addresses."""
        return self.cidr[self.reserved_addresses + 1], self.cidr[-2]

    def may_be_fixed(self, address: IPv4Address) -> bool:
        """Whether a host of ours can have this fixed address.

        In a subnet that we lay out it must stand outside the allocation pool, else Neutron could give it away before
        its owner is created. The layout of an adopted subnet is its owner's: there it must only be a host address.
        """
        if address not in self.cidr or address in (self.cidr[0], self.cidr[-1], self.gateway):
            return False
        return self.adopt is not None or address < self.allocation_pool[0]
