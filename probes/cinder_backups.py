"""The snapshots and backups that `operations backup` has made in Cinder, and the volumes to back up.

Source of the statuses: ``cinder/objects/fields.py``.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from config.names import cloud_name
from config.stack_config import StackConfig
from probes.cluster_leftovers import CLAIM_KEYS, CLUSTER_KEY, SHORT_ID, names_in_cluster_api

if TYPE_CHECKING:
    from openstack.connection import Connection

STACK_KEY: Final = "rsp_stack"
VOLUME_KEY: Final = "rsp_volume"
"""Metadata that marks a snapshot or backup, and a restored volume, as the stack's."""

_GOOD: Final = ("available", "backing-up", "restoring")
"""Statuses of a complete snapshot or backup; the last two while it is read."""
_UNFINISHED: Final = ("creating",)
_USABLE: Final = ("available", "in-use")
"""Statuses of a volume of which Cinder makes snapshots and backups."""


@dataclass(frozen=True, kw_only=True)
class Backup:
    """A snapshot or backup of a volume."""

    kind: str
    """`snapshot` or `backup`."""
    id: str
    """ID in Cinder."""
    name: str
    """Name in Cinder."""
    volume: str
    """The volume: an export, or NAMESPACE/NAME of a claim."""
    volume_id: str
    """ID of the volume, which is another one after a restore."""
    time: datetime
    """Time of the content, in UTC."""
    size: int
    """Size of the volume in GiB."""
    status: str
    """Status in Cinder."""
    incremental: bool = False
    """Whether it needs earlier backups of the same volume."""
    reason: str = ""
    """Why it failed, if Cinder shows it."""

    @property
    def good(self) -> bool:
        """Whether it can be restored."""
        return self.status in _GOOD

    @property
    def unfinished(self) -> bool:
        """Whether it is being made."""
        return self.status in _UNFINISHED

    @property
    def failed(self) -> bool:
        """Whether it is of no use."""
        return self.status.startswith("error")


@dataclass(frozen=True, kw_only=True)
class Source:
    """A volume to back up."""

    name: str
    """As `Backup.volume`."""
    volume: Any | None
    """The volume in Cinder, as by openstacksdk; None if there is none."""
    flaw: str = ""
    """Why it cannot be backed up now; empty if it can."""


def find(connection: "Connection", stack: str) -> list[Backup]:
    """Return the snapshots and backups that a stack's commands have made, the oldest first.

    Args:
        connection: Connection to the stack's project.
        stack: Name of the stack.

    Raises:
        openstack.exceptions.SDKException: Cinder cannot be reached, or refuses the request.
    """
    cinder = connection.block_storage
    found = [*_of_kind("snapshot", cinder.snapshots()), *_of_kind("backup", cinder.backups())]
    return sorted((each for of, each in found if of == stack), key=lambda each: each.time)


def from_sdk(kind: str, found: Any) -> Backup:
    """Convert a snapshot or backup of openstacksdk.

    Args:
        kind: `snapshot` or `backup`.
        found: The snapshot or backup.
    """
    return Backup(
        kind=kind,
        id=found.id,
        name=found.name or "",
        volume=(found.metadata or {}).get(VOLUME_KEY, ""),
        volume_id=found.volume_id,
        time=datetime.fromisoformat(found.created_at).replace(tzinfo=UTC),
        size=found.size,
        status=found.status,
        incremental=bool(getattr(found, "is_incremental", False)),
        reason=getattr(found, "fail_reason", None) or "",
    )


def sources(connection: "Connection", config: StackConfig, stack: str) -> list[Source]:
    """Return the volumes to back up by the configuration.

    Args:
        connection: Connection to the stack's project.
        config: The stack configuration.
        stack: Name of the stack.

    Raises:
        openstack.exceptions.SDKException: Cinder cannot be reached, or refuses the request.
    """
    volumes = list(connection.block_storage.volumes()) if names(config) else []
    clusters = [names_in_cluster_api(cloud_name(stack, each)) for each in config.clusters]
    # Of former clusters, too, whose volumes may be in use as PersistentVolumes of the current one.
    clusters.append(rf"{re.escape(cloud_name(stack, ''))}[a-z0-9]+-{SHORT_ID}")
    ours = re.compile("|".join(clusters))
    active = re.compile(names_in_cluster_api(cloud_name(stack, config.active)))
    return [_source(name, list(_candidates(name, volumes, stack, ours)), active) for name in names(config)]


def names(config: StackConfig) -> list[str]:
    """Return the names of the volumes to back up, as `Backup.volume`."""
    backups = config.backups
    if backups.kind == "none":
        return []
    exports = sorted(config.nfs_volumes) if backups.volumes is None else backups.volumes
    return list(dict.fromkeys([*exports, *backups.claims]))


def volume_name(stack: str, name: str) -> str:
    """Return the name in OpenStack of a volume to back up; its snapshots and backups have it with a time.

    Args:
        stack: Name of the stack.
        name: As `Backup.volume`.
    """
    return cloud_name(stack, f"claim-{name.replace('/', '-')}" if "/" in name else f"nfs-{name}")


def _candidates(name: str, volumes: Iterable[Any], stack: str, clusters: re.Pattern[str]) -> Iterator[Any]:
    """Yield the volumes that may be the one of a name."""
    for each in volumes:
        if "/" not in name:
            if each.name == volume_name(stack, name):
                yield each
        elif "/".join(each.metadata.get(key, "") for key in CLAIM_KEYS) == name:
            cluster, restored = each.metadata.get(CLUSTER_KEY, ""), each.metadata.get(STACK_KEY)
            if restored == stack or clusters.fullmatch(cluster):
                yield each


def _source(name: str, found: list[Any], active: re.Pattern[str]) -> Source:
    used = [each for each in found if each.status == "in-use"]
    if len(used) > 1:
        # Of two clusters, each has one. One that was moved between them still names its first cluster, so that the
        # name decides only here.
        used = [each for each in used if active.fullmatch(each.metadata.get(CLUSTER_KEY, ""))] or used
    # A cluster that was replaced has left its volumes.
    found = used or found
    if not found:
        return Source(name=name, volume=None, flaw="there is no such volume in Cinder")
    if len(found) > 1:
        ids = ", ".join(sorted(each.id for each in found))
        command = f"unset --property {CLAIM_KEYS[1]}" if "/" in name else "set --name OTHER"
        remedy = f"`openstack volume {command} ID` excludes a wrong one"
        return Source(name=name, volume=None, flaw=f"several volumes may be it: {ids}: {remedy}")
    (volume,) = found
    flaw = "" if volume.status in _USABLE else f"the volume {volume.id} has status {volume.status}"
    return Source(name=name, volume=volume, flaw=flaw)


def _of_kind(kind: str, listed: Iterable[Any]) -> Iterator[tuple[str, Backup]]:
    """Yield the stack and the snapshot or backup."""
    for each in listed:
        metadata = each.metadata or {}
        if STACK_KEY in metadata and VOLUME_KEY in metadata:
            yield metadata[STACK_KEY], from_sdk(kind, each)
