from ipaddress import IPv4Address

from pydantic import Field

from config.section import GiB, Name, Section, Slug


class Volume(Section):
    """One data volume and the NFS export of the same name that it holds.

    An export is a whole file system: of a directory alone a client could forge handles of its neighbours (exports(5),
    ``subtree_check``).
    """

    size: GiB = Field(description="Size in GiB; may grow, never shrink")
    type: Name | None = Field(default=None, description="Cinder volume type; the cloud's default type if absent")
    root_squash: bool = Field(
        default=True,
        description="Map a client's root to nobody. False where Nublado's privileged inithome makes home directories",
    )
    read_only: bool = Field(default=False, description="Refuse writes by clients")


class Nfs(Section):
    """The NFS server: a VM without data of its own, and the volumes whose data outlives it."""

    address: IPv4Address = Field(description="Fixed address in network.cidr, outside the pool that DHCP hands out")
    image: Name = Field(description="Glance image: Debian 12 or later with cloud-init")
    flavor: Name = Field(description="Nova flavor")
    volumes: dict[Slug, Volume] = Field(
        min_length=1,
        description="Volumes by the name of their export: `jhome` is mounted by clients as ADDRESS:/jhome",
    )
