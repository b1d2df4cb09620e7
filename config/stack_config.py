"""Root of the configuration, and the rules between its sections."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.applications import ApplicationsSettings
from config.cloud import Cloud
from config.cluster import Cluster
from config.ingress import Ingress
from config.network import NetworkSettings
from config.nfs import Nfs
from config.object_store import ObjectStoreSettings
from config.phalanx import Phalanx
from config.section import Section, first_overlap
from config.tls import PhalanxCertificate, Tls
from config.vault import Secrets, Vault

KeyPath = tuple[str, ...]
"""Keys from the root to a value, as written in YAML."""


class StackConfig(Section):
    """Configuration of one Rubin Science Platform."""

    cloud: Cloud = Field(description="OpenStack project to deploy into")
    network: NetworkSettings = Field(description="Private network of the cluster and the NFS server")
    nfs: Nfs = Field(description="NFS server and its volumes")
    cluster: Cluster = Field(description="Kubernetes cluster")
    ingress: Ingress = Field(default=Ingress(), description="Load balancer of ingress-nginx")
    object_store: ObjectStoreSettings = Field(description="Object store for the results of TAP queries")
    vault: Vault = Field(default=Vault(), description="Vault for the secrets of the applications")
    secrets: Secrets = Field(default=Secrets(), description="Static secrets, which the operator provides")
    tls: Tls = Field(
        default=PhalanxCertificate(kind="phalanx"),
        description="Source of the platform's TLS certificate",
    )
    phalanx: Phalanx = Field(description="Phalanx repository, revision and environment to deploy")
    applications: ApplicationsSettings = Field(description="Deployment and storage of the applications")
    protect: bool = Field(
        default=True,
        description=(
            "Protect resources with data or with addresses that others use against deletion; "
            "set to false only to destroy the platform"
        ),
    )

    @model_validator(mode="after")
    def _consistent_sections(self) -> Self:
        details: list[InitErrorDetails] = [
            {"type": PydanticCustomError("conflict", "{reason}", {"reason": reason}), "loc": path, "input": None}
            for path, reason in _conflicts(self)
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details, hide_input=True)
        return self


def _conflicts(config: StackConfig) -> Iterator[tuple[KeyPath, str]]:
    """Yield conflicts between sections that are valid by themselves: the key to change, and the reason."""
    network, nfs, cluster = config.network, config.nfs, config.cluster
    fixed: dict[KeyPath, IPv4Address] = {("nfs", "address"): nfs.address}
    if config.vault.deploy:
        fixed["vault", "deploy", "address"] = config.vault.deploy.address
    for path, address in fixed.items():
        if address not in network.cidr:
            yield path, f"{address} is outside network.cidr {network.cidr}: choose an address within it"
        elif not network.may_be_fixed(address):
            first, last = network.cidr[2], network.allocation_pool[0] - 1
            allowed = f"{network.cidr}" if network.adopt else f"{first} to {last} (see network.reservedAddresses)"
            yield path, f"{address} cannot be a fixed address: choose a host address in {allowed}"
    if len(set(fixed.values())) < len(fixed):
        yield ("vault", "deploy", "address"), f"{nfs.address} is also nfs.address: choose another address"
    nodes = {"network.cidr": network.cidr}
    if first_overlap(cluster.pods, nodes):
        yield ("cluster", "podCidr"), f"{cluster.pods} overlaps network.cidr {network.cidr}: choose another range"
    taken = {**nodes, "cluster.podCidr": cluster.pods}
    if other := first_overlap(cluster.services, taken):
        yield ("cluster", "serviceCidr"), f"{cluster.services} overlaps {other} {taken[other]}: choose another range"
