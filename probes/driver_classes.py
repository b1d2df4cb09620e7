"""StorageClasses that Magnum's Cluster API driver makes, with whose names those of a stack collide.

It makes one for each Cinder volume type, named like the type, in the zone of the label csi_cinder_availability_zone
(``_storageclass_definitions`` in ``magnum_capi_helm/driver.py``, ``sanitized_name`` in ``driver_utils.py``), and Helm
updates them with the cluster.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from config.stack_config import StackConfig
from probes.problem import Problem

ZONE: Final = "csi_cinder_availability_zone"
"""Label with the Cinder availability zone of the classes; by default ``nova``."""


def problems(config: StackConfig, volume_types: Iterable[str], *, first: bool) -> Iterator[Problem]:
    """Yield a problem for each StorageClass whose name the driver uses.

    The class would be that of two owners: its parameters are merged, so that volumes are in the driver's zone; another
    reclaim policy or zone is a conflict, and a later change of either makes the next update of the cluster fail, as
    most fields of a StorageClass cannot change.

    Args:
        config: The stack configuration.
        volume_types: Names of the cloud's volume types.
        first: Whether the stack has no claims yet. Otherwise a problem is not fatal, as they keep their class.
    """
    if all(cluster.driver != "capi" for cluster in config.clusters.values()):
        return
    types = {class_name(each): each for each in volume_types}
    applications = config.applications
    for name in sorted(types.keys() & applications.storage_classes.keys()):
        used = " and databaseStorageClass" if name == applications.database_storage_class else ""
        way = (
            f"choose another name, such as `rsp-{name}`, here{used}"
            if first
            else "leave its reclaimPolicy Retain and its availabilityZone unset, and use another name in new claims"
        )
        yield Problem(
            where=f"rsp:applications.storageClasses.{name}",
            what=f"Magnum's Cluster API driver makes a StorageClass of this name for the volume type `{types[name]}`, "
            f"and both would change it: {way} (docs/howto/storage-classes.md)",
            fatal=first,
        )


def class_name(volume_type: str) -> str:
    """Return the name of the driver's StorageClass for a volume type."""
    return re.sub(r"[^a-z0-9]+", "-", volume_type.lower()).strip("-")
