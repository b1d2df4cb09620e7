"""Changes of the configuration that Cinder cannot apply to the data volumes that exist.

Sources: ``resourceBlockStorageVolumeV3Update`` of terraform-provider-openstack; ``retype`` in
``cinder/volume/manager.py``, which keeps the old type if the data would have to move, and reports that in a message
only.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from probes.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A data volume as configured."""

    name: str
    """Its name in Cinder."""
    size: int
    """Size in GiB."""
    type: str | None
    """Volume type; None to keep the present one."""
    availability_zone: str | None
    """Availability zone; None to keep the present one."""


def problems(wanted: Mapping[str, Wanted], existing: Mapping[str, Any]) -> Iterator[Problem]:
    """Yield a fatal problem for each configured value that an existing volume cannot get.

    Args:
        wanted: Configured volumes, by key path with namespace.
        existing: The project's volumes, as by openstacksdk, by name.
    """
    for path, volume in wanted.items():
        found = existing.get(volume.name)
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
