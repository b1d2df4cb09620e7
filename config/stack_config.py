"""The root of the configuration, and the rules that hold between its sections."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.applications import Applications
from config.cloud import Cloud
from config.cluster import Cluster
from config.ingress import Ingress
from config.network import Network
from config.nfs import Nfs
from config.object_store import ObjectStore
from config.phalanx import Phalanx
from config.section import Section, first_overlap
from config.tls import PhalanxCertificate, Tls
from config.vault import Secrets, Vault

Path = tuple[str, ...]
"""Keys from the root to a value, as written in YAML."""


class StackConfig(Section):
    """One Rubin Science Platform: everything that a stack says."""

    cloud: Cloud = Field(description="The OpenStack project to deploy into")
    network: Network = Field(description="The private network of the cluster and the NFS server")
    nfs: Nfs = Field(description="The NFS server and its volumes")
    cluster: Cluster = Field(description="The Kubernetes cluster")
    ingress: Ingress = Field(default=Ingress(), description="The floating IP and the load balancer in front of nginx")
    object_store: ObjectStore = Field(description="Where TAP keeps the results of queries")
    vault: Vault = Field(default=Vault(), description="Where the secrets of the applications are kept")
    secrets: Secrets = Field(default=Secrets(), description="Secrets that a person gives")
    tls: Tls = Field(
        default=PhalanxCertificate(kind="phalanx"),
        description="Where the platform's TLS certificate comes from",
    )
    phalanx: Phalanx = Field(description="The Phalanx repository, revision and environment to deploy")
    applications: Applications = Field(description="How the applications are deployed, and on which storage")
    protect: bool = Field(
        default=True,
        description="Refuse to delete what holds data or an address that others know; false only to give up a site",
    )

    @model_validator(mode="after")
    def _sections_agree(self) -> Self:
        details: list[InitErrorDetails] = [
            {"type": PydanticCustomError("disagreement", "{reason}", {"reason": reason}), "loc": path, "input": None}
            for path, reason in _disagreements(self)
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details, hide_input=True)
        return self


def _disagreements(config: StackConfig) -> Iterator[tuple[Path, str]]:
    """What is wrong between sections that are each right by themselves: the key to change, and why."""
    network, nfs, cluster = config.network, config.nfs, config.cluster
    fixed: dict[Path, IPv4Address] = {("nfs", "address"): nfs.address}
    if config.vault.deploy:
        fixed["vault", "deploy", "address"] = config.vault.deploy.address
    for path, address in fixed.items():
        if address not in network.cidr:
            yield path, f"{address} is outside network.cidr {network.cidr}: choose an address within it"
        elif not network.may_be_fixed(address):
            first, last = network.cidr[2], network.allocation_pool[0] - 1
            within = f"{network.cidr}" if network.adopt else f"{first} to {last} (see network.reservedAddresses)"
            yield path, f"{address} cannot be a fixed address: choose a host address of {within}"
    if len(set(fixed.values())) < len(fixed):
        yield ("vault", "deploy", "address"), f"{nfs.address} is that of nfs.address already: choose another address"
    nodes = {"network.cidr": network.cidr}
    if first_overlap(cluster.pods, nodes):
        yield ("cluster", "podCidr"), f"{cluster.pods} overlaps network.cidr {network.cidr}: choose another range"
    taken = {**nodes, "cluster.podCidr": cluster.pods}
    if other := first_overlap(cluster.services, taken):
        yield ("cluster", "serviceCidr"), f"{cluster.services} overlaps {other} {taken[other]}: choose another range"
