"""Manila shares, and the rules between them and the NFS server."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import ClientNetwork
from config.applications import ApplicationsSettings, WiringMode
from config.changes import in_place, refused, replaces
from config.nfs import Nfs
from config.section import GiB, Name, Section, Slug
from config.stack_file import KeyPath

_ANOTHER = (
    "add another share and copy the data to it (docs/howto/shared-filesystem.md). The removal of the key is refused, "
    "as the share would keep"
)


class Share(Section):
    """A share in Manila, with its access rules."""

    size: Annotated[GiB, in_place("extends the share while it is mounted. A smaller size is refused")] = Field(
        description="Size in GiB; can be increased, not decreased", examples=[1000]
    )
    protocol: Annotated[
        Literal["NFS", "CEPHFS"],
        refused("a share has the protocol that it was created with; add another share and copy the data to it"),
    ] = Field(
        default="NFS",
        description="Protocol; Nublado mounts NFS only. CEPHFS creates a cephx identity, whose key is a stack output",
    )
    type: Annotated[
        Name | None, refused(f"only the cloud's administrators can move a share to another type; {_ANOTHER} its type")
    ] = Field(
        default=None, description="Manila share type; the cloud's default type if absent", examples=["cephfs-nfs"]
    )
    network: Annotated[
        Name | None,
        refused(f"only the cloud's administrators can move a share to another network; {_ANOTHER} its network"),
    ] = Field(
        default=None,
        description="Manila share network, for share types whose driver creates share servers; none for other types",
        examples=["storage"],
    )
    read_only: Annotated[
        bool, replaces("the access rules, during which clients wait; the share and its data remain")
    ] = Field(default=False, description="Grant read access only")
    clients: Annotated[
        tuple[ClientNetwork, ...], in_place("creates and deletes access rules; others remain as they are")
    ] = Field(
        default=(),
        max_length=20,
        description=(
            "Addresses of NFS clients as the storage sees them, which behind a router with SNAT are the router's; "
            "network.cidr if empty"
        ),
        examples=[["203.0.113.9/32"]],
        json_schema_extra={"uniqueItems": True},
    )

    @model_validator(mode="after")
    def _clients_of_nfs(self) -> Self:
        if self.clients and self.protocol != "NFS":
            raise ValueError("clients are for protocol NFS: CephFS identifies clients by the key of its cephx identity")
        if repeated := sorted({str(each) for each in self.clients if self.clients.count(each) > 1}):
            raise ValueError(f"clients repeats {', '.join(repeated)}: remove the repetition")
        return self

    def allowed(self, nodes: IPv4Network) -> tuple[IPv4Network, ...]:
        """Return the networks of NFS clients.

        Args:
            nodes: Network of the cluster's nodes.
        """
        return self.clients or (nodes,)


Shares = Annotated[
    dict[Slug, Share],
    in_place(
        "creates the share of another entry. The removal of an entry is refused, as it would delete a protected share"
    ),
]


def exported(nfs: Nfs | None, shares: Mapping[str, Share]) -> dict[str, str]:
    """Return the keys of all NFS exports for applications, by their path in the Phalanx repository (``/jhome``)."""
    volumes = {f"/{name}": f"nfs.volumes.{name}" for name in (nfs.volumes if nfs else ())}
    return volumes | {f"/{name}": f"shares.{name}" for name, share in shares.items() if share.protocol == "NFS"}


def storage(nfs: Nfs | None, shares: Mapping[str, Share]) -> Iterator[tuple[KeyPath, str]]:
    """Yield conflicts if there is no storage for shared directories, or two exports with the same name."""
    if nfs is None and not shares:
        yield ("nfs",), "is required unless rsp:shares has an entry: Nublado needs a place for home directories"
    for name in sorted(shares.keys() & (nfs.volumes if nfs else {}).keys()):
        yield ("shares", name), f"nfs.volumes has the same name, so /{name} is ambiguous: choose another name"


def locations_in_no_repository(
    shares: Mapping[str, Share], applications: ApplicationsSettings
) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if the Phalanx repository would have to contain what Manila chooses."""
    if applications.wiring is WiringMode.VERIFY and any(share.protocol == "NFS" for share in shares.values()):
        reason = (
            "verify requires server and path of each share in the Phalanx repository, but Manila chooses them when it "
            "creates the share: set it to apply, or use nfs.volumes"
        )
        yield ("applications", "wiring"), reason
