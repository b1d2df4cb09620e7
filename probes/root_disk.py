"""Check that a server of a stack has a root disk that is large enough for its image.

Sources: ``zero_disk_flavor`` in ``nova/policies/servers.py``, which only administrators may use by default;
``_validate_flavor_image_nostatus`` in ``nova/compute/api.py``.
"""

from collections.abc import Iterator
from typing import Any

from config.nfs import ServerBootVolume
from probes.problem import Problem


def problems(
    key: str, flavor: Any | None, image: Any | None, boot_volume: ServerBootVolume | None
) -> Iterator[Problem]:
    """Yield what Nova or Cinder would refuse.

    Args:
        key: Key path of the server's section, with namespace.
        flavor: The flavor, as by openstacksdk; None if it does not exist, which is another problem.
        image: The image, likewise.
        boot_volume: Configuration of its root disk in Cinder; None for the flavor's disk.
    """
    if boot_volume is None and flavor is not None and not flavor.disk:
        yield Problem(
            where=f"{key}.flavor",
            what=f"`{flavor.name}` has no disk, and Nova allows only administrators to boot servers from an image with "
            f"it: set {key}.bootVolume, for example {{size: {_minimum(image) or 10}}}, or choose another flavor",
        )
        return
    where, size = f"{key}.flavor", flavor.disk if flavor is not None else None
    if boot_volume:
        where, size = f"{key}.bootVolume.size", boot_volume.size
    if size is not None and size < _minimum(image):
        yield Problem(
            where=where,
            what=f"the root disk would have {size} GiB, but the image `{getattr(image, 'name', '')}` requires "
            f"{_minimum(image)}: choose a larger one",
        )


def _minimum(image: Any | None) -> int:
    """Return the smallest disk of an image in GiB."""
    return int((image.min_disk if image is not None else None) or 0)
