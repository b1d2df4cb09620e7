from pydantic import Field

from config.addresses import Address
from config.section import GiB, Name, Section, Slug


class NfsVolume(Section):
    """A data volume, and the NFS export of the same name.

    An export is a whole file system: clients of an exported directory could forge file handles to reach the rest of the
    file system (exports(5), ``subtree_check``).
    """

    size: GiB = Field(description="Size in GiB; can be increased, not decreased", examples=[1000])
    type: Name | None = Field(
        default=None, description="Cinder volume type; the cloud's default type if absent", examples=["ceph-hdd"]
    )
    root_squash: bool = Field(
        default=True,
        description="Map clients' root to nobody; must be false if Nublado's inithome creates home directories",
    )
    read_only: bool = Field(default=False, description="Export read-only")


class Nfs(Section):
    """The NFS server: a stateless VM with persistent data volumes."""

    address: Address = Field(
        description="Fixed address in network.cidr, outside the DHCP allocation pool", examples=["10.20.0.10"]
    )
    image: Name = Field(description="Glance image: Debian 12 or later with cloud-init", examples=["debian-12"])
    flavor: Name = Field(description="Nova flavor", examples=["m1.small"])
    volumes: dict[Slug, NfsVolume] = Field(
        min_length=1,
        max_length=20,
        description="Volumes by the name of their export: clients mount `jhome` as ADDRESS:/jhome",
        examples=[{"jhome": {"size": 1000}}],
    )
