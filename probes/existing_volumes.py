"""Existing Cinder volumes that are not as the configuration requires.

Sources: ``resourceBlockStorageVolumeV3Update`` of terraform-provider-openstack; ``retype`` in
``cinder/volume/manager.py``, which keeps the old type if the data would have to move, and only reports that in a
message.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from probes.problem import Problem

_ATTACHABLE: Final = ("available", "reserved", "attaching", "in-use", "detaching")
"""Statuses of a volume that a node has, or can get (``VolumeStatus`` in ``cinder/objects/fields.py``)."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A data volume as configured."""

    name: str
    """Its name in Cinder."""
    size: int
    """Size in GiB."""
    type: str | None
    """Volume type; None to keep the current one."""
    availability_zone: str | None
    """Availability zone; None to keep the current one."""


def problems(wanted: Mapping[str, Wanted], existing: Iterable[Any]) -> Iterator[Problem]:
    """Yield a fatal problem for each configured value that an existing volume cannot get.

    Args:
        wanted: Configured volumes, by key path with namespace.
        existing: The project's volumes, as by openstacksdk.
    """
    named = {each.name: each for each in existing}
    for path, volume in wanted.items():
        found = named.get(volume.name)
        if found is None:
            continue
        if found.size > volume.size:
            yield Problem(
                where=f"{path}.size",
                what=f"{volume.size} GiB is less than the {found.size} GiB of the existing volume, which Cinder "
                f"cannot shrink: set it to {found.size} or more",
            )
        if volume.type and volume.type != found.volume_type:
            yield Problem(
                where=f"{path}.type",
                what=f"is `{volume.type}`, but the volume `{found.name}` has type `{found.volume_type}`: set it back, "
                f"or run `openstack volume set --type {volume.type} --retype-policy on-demand {found.name}`, which may "
                "move the data, and wait until `openstack volume show` has the type",
            )
        if volume.availability_zone and volume.availability_zone != found.availability_zone:
            yield Problem(
                where=f"{path}.availabilityZone",
                what=f"is `{volume.availability_zone}`, but the volume `{found.name}` is in "
                f"`{found.availability_zone}`, and Cinder cannot move it: set it back, or create another volume from "
                "a backup (docs/runbooks/volumes.md)",
            )


def claimed_problems(
    wanted: Mapping[str, tuple[str, str]], sizes: Mapping[str, int | None], existing: Iterable[Any]
) -> Iterator[Problem]:
    """Yield a fatal problem for each volume that a claim cannot get.

    Args:
        wanted: Claim (NAMESPACE/NAME) and ID of its volume, by key path with namespace.
        sizes: Sizes that claims request in GiB, as far as they are known.
        existing: The project's volumes, as by openstacksdk.
    """
    volumes = {each.id: each for each in existing}
    for path, (claim, id_) in wanted.items():
        found = volumes.get(id_)
        if found is None:
            yield Problem(
                where=path,
                what=f"the project has no volume {id_}: set it to one of `openstack volume list`, or remove the key",
            )
        elif found.status not in _ATTACHABLE:
            yield Problem(
                where=path,
                what=f"the volume {id_} has status {found.status}, in which no node can attach it: "
                "`openstack volume message list` may have the reason",
            )
        elif found.size < (sizes.get(claim) or 0):
            yield Problem(
                where=path,
                what=f"the volume {id_} has {found.size} GiB, less than the {sizes[claim]} GiB that the claim "
                f"requests: run `openstack volume set --size {sizes[claim]} {id_}`",
            )
