from typing import Annotated

from pydantic import AfterValidator, Field

from config.addresses import Address
from config.changes import in_place, refused, replaces
from config.section import GiB, Matching, Name, Section, Slug

VOLUME_TYPE = refused(
    "Cinder may have to move the data, and reports a failure to administrators only; run `openstack volume set --type "
    "TYPE --retype-policy on-demand VOLUME`, wait until the volume has the type, then change the key. The removal "
    "of the key is refused, as the volume would keep its type"
)
VOLUME_ZONE = refused(
    "Cinder cannot move a volume to another zone; create a volume there from a backup. The removal of the key is "
    "refused, as the volume would keep its zone"
)

_UNUSABLE_IDS = (2**16 - 1, 2**32 - 1)
"""Numbers that mean "no ID" to the kernel and to systemd (https://systemd.io/UIDS-GIDS)."""


def _usable(owner: str) -> str:
    for number in map(int, owner.split(":")):
        if number in _UNUSABLE_IDS or number > max(_UNUSABLE_IDS):
            raise ValueError(f"{number} is not a valid user or group ID: must be 0 to 4294967294, except 65535")
    return owner


Owner = Annotated[
    str,
    Matching(r"[0-9]{1,10}:[0-9]{1,10}", "the numbers of a user and of a group, such as 1000:1000", 21),
    AfterValidator(_usable),
]
"""Owner of files: the server knows no names of users."""

Mode = Annotated[str, Matching(r"[0-7]?[0-7]{3}", "permissions in octal digits, in quotes, such as '2775'", 4)]
"""Permissions of a directory."""

Directory = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*",
        "a path below the export of letters, digits, hyphens, underscores and dots, such as butler/rubin",
    ),
]
"""Path of a directory, relative to its export."""


class ServerBootVolume(Section):
    """The root disk of a server as a Cinder volume, which is created and deleted with the server."""

    size: GiB = Field(description="Size in GiB, at least the `min_disk` of the image", examples=[10])
    type: Name | None = Field(
        default=None, description="Cinder volume type; the cloud's default type if absent", examples=["ceph-ssd"]
    )


class NfsVolume(Section):
    """A data volume, and the NFS export of the same name.

    An export is a whole file system: clients of an exported directory could forge file handles to reach the rest of the
    file system (exports(5), ``subtree_check``).
    """

    size: Annotated[
        GiB, in_place("extends the volume; the file system grows at the next boot of the VM. A smaller size is refused")
    ] = Field(description="Size in GiB; can be increased, not decreased", examples=[1000])
    type: Annotated[Name | None, VOLUME_TYPE] = Field(
        default=None, description="Cinder volume type; the cloud's default type if absent", examples=["ceph-hdd"]
    )
    availability_zone: Annotated[Name | None, VOLUME_ZONE] = Field(
        default=None,
        description="Cinder availability zone; the cloud's default if absent. Nova must be able to attach the volume",
        examples=["nova"],
    )
    root_squash: Annotated[
        bool, replaces("the VM of the NFS server, as exports are part of its first boot; data and address remain")
    ] = Field(
        default=True,
        description="Map clients' root to nobody; must be false if Nublado's inithome creates home directories",
    )
    read_only: Annotated[bool, replaces("the VM of the NFS server, as for `rootSquash`")] = Field(
        default=False, description="Export read-only"
    )
    owner: Annotated[
        Owner | None,
        replaces(
            "the VM of the NFS server, which gives the root of the export to it; what is below keeps its owner. After "
            "the removal of the key, the root keeps its owner, too"
        ),
    ] = Field(
        default=None,
        description=(
            "Owner of the root of the export, and of new `directories`, as UID:GID; if absent, a new file system is "
            "root's, which cannot write to it from a client with `rootSquash`"
        ),
        examples=["1000:1000"],
    )
    mode: Annotated[Mode | None, replaces("the VM of the NFS server, as for `owner`")] = Field(
        default=None,
        description="Permissions of the root of the export, and of new `directories`; 0755 for new ones if absent",
        examples=["2775"],
    )
    directories: Annotated[
        list[Directory],
        replaces("the VM of the NFS server, which creates those that do not exist. None is ever deleted or changed"),
    ] = Field(
        default=[],
        max_length=50,
        description=(
            "Directories to create with their parents, as clients cannot mount what does not exist: those below the "
            "export that Nublado's labs mount (`serverPath: /data/butler/rubin`)"
        ),
        examples=[["butler/rubin"]],
        json_schema_extra={"uniqueItems": True},
    )


class Nfs(Section):
    """The NFS server: a stateless VM with persistent data volumes."""

    address: Annotated[
        Address,
        replaces(
            "port and VM of the NFS server; the data remains. Applications get the new address, but running labs keep "
            "the mount of the old one and hang: stop all labs first"
        ),
    ] = Field(description="Fixed address in network.cidr, outside the DHCP allocation pool", examples=["10.20.0.10"])
    image: Annotated[
        Name,
        replaces(
            "the VM of the NFS server; data and address remain. A newer image of the same name is used at the next "
            "replacement"
        ),
    ] = Field(description="Glance image, by name or ID: Debian 12 or later with cloud-init", examples=["debian-12"])
    flavor: Annotated[Name, in_place("resizes the VM, with a restart during which clients wait")] = Field(
        description="Nova flavor", examples=["m1.small"]
    )
    boot_volume: Annotated[ServerBootVolume | None, replaces("the VM of the NFS server; data and address remain")] = (
        Field(
            default=None,
            description="Root disk as a Cinder volume, for flavors without a disk; the flavor's disk if absent",
        )
    )
    availability_zone: Annotated[
        Name | None,
        replaces("the VM of the NFS server; data and address remain. The removal is refused, as the VM would stay"),
    ] = Field(default=None, description="Nova availability zone; any if absent", examples=["az-1"])
    volumes: Annotated[
        dict[Slug, NfsVolume],
        replaces(
            "the VM of the NFS server, for another entry, whose volume is created. The removal of an entry is refused, "
            "as it would delete a protected volume"
        ),
    ] = Field(
        min_length=1,
        max_length=20,
        description="Volumes by the name of their export: clients mount `jhome` as ADDRESS:/jhome",
        examples=[{"jhome": {"size": 1000}}],
    )
