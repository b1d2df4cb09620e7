"""Replace a volume of the stack with a new one that has the content of a snapshot or backup.

The volume in use is never overwritten: a new one is filled, and takes over its name and its place in the stack's state.
The next `pulumi up` replaces the VM that has the old one. The new volume gets its name last, so that until then an
interrupted restore is continued by the same command, with the same backup. What remains is a refresh of the state.
"""

import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from config.names import nfs_volume_description
from config.stack_config import StackConfig
from probes import cinder_backups
from probes.cinder_backups import STACK_KEY, VOLUME_KEY, Backup
from probes.cluster_leftovers import CLAIM_KEYS
from recovery.backups import POLL, REPORT, BackupError, Patience, Progress
from recovery.document import having, pending, resources, unread, with_unread
from recovery.pulumi_stack import PulumiStack
from recovery.recover import read

if TYPE_CHECKING:
    from openstack.connection import Connection

RESTORED_KEY: Final = "rsp_restored_from"
"""Metadata of a volume: ID of the snapshot or backup whose content it has, set once it is complete; before `_BEGUN`."""

_BEGUN: Final = "begun"
"""Value of `RESTORED_KEY` once Cinder has accepted the restore."""

_VOLUME: Final = "openstack:blockstorage/volume:Volume"
_BUSY: Final = ("creating", "restoring-backup")


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A restore of one volume."""

    backup: Backup
    """What to restore."""
    name: str
    """Name of the volume in Cinder."""
    present: Any | None
    """The volume that has the name; None if there is none."""
    urn: str | None
    """The volume in the stack's state; None if it is not there, as always the volume of a claim."""

    @property
    def volume(self) -> str:
        """The volume, as `Backup.volume`."""
        return self.backup.volume

    @property
    def temporary(self) -> str:
        """Name of the new volume until it is complete; that of a claim keeps it."""
        return f"{self.name}{_suffix(self.backup)}"

    @property
    def of_claim(self) -> bool:
        """Whether it is the volume of a claim, for which Kubernetes needs a new PersistentVolume."""
        return "/" in self.volume


@dataclass(frozen=True, kw_only=True)
class Restored:
    """The result of a restore."""

    plan: Plan
    id: str
    """ID of the new volume."""
    name: str
    """Its name."""
    replaced: str = ""
    """New name of the volume that had its place; empty if there was none."""


def begun(existing: Iterable[Any], stack: str, volume: str) -> list[str]:
    """Return the names of the new volumes of restores that were interrupted.

    Args:
        existing: Volumes in Cinder, as by openstacksdk.
        stack: Name of the stack.
        volume: As `Backup.volume`.
    """
    temporary = re.compile(rf"{re.escape(cinder_backups.volume_name(stack, volume))}-from-\d{{8}}-\d{{6}}")
    return sorted(
        each.name
        for each in existing
        if temporary.fullmatch(each.name or "")
        # That of a claim keeps its name.
        and not ("/" in volume and each.metadata.get(RESTORED_KEY, _BEGUN) != _BEGUN)
    )


def choose(found: Sequence[Backup], volume: str, until: datetime | None, begun: Collection[str] = ()) -> Backup:
    """Return the last good backup of a volume, or that of an interrupted restore.

    The latter is older than one that was made in the meantime, perhaps of the damaged volume.

    Args:
        found: Snapshots and backups, the oldest first.
        volume: As `Backup.volume`.
        until: Time of the last one to choose; None for no limit.
        begun: As by `begun`. They do not matter if there is a limit.

    Raises:
        BackupError: There is none, or more than one restore was interrupted.
    """
    good = [each for each in found if each.volume == volume and each.good]
    if begun and until is None:
        continued = [each for each in good if any(name.endswith(_suffix(each)) for name in begun)]
        if len(begun) == len(continued) == 1:
            return continued[0]
        what = "several restores were interrupted" if len(begun) > 1 else "the backup of an interrupted restore is gone"
        raise BackupError(
            f"{volume}: {what}: delete {' or '.join(sorted(begun))} in Cinder, or choose a backup with --time"
        )
    chosen = [each for each in good if until is None or each.time <= until]
    if not chosen:
        others = f"the first one is of {good[0].time:%Y-%m-%dT%H:%M:%SZ}" if good else "there is none at all"
        when = f" until {until:%Y-%m-%dT%H:%M:%SZ}" if until else ""
        raise BackupError(f"{volume}: no good backup{when}: {others}")
    return chosen[-1]


def plan(connection: "Connection", stack: PulumiStack, backup: Backup) -> Plan:
    """Return how to restore a backup.

    Args:
        connection: Connection to the stack's project.
        stack: The stack.
        backup: The backup.

    Raises:
        BackupError: Several volumes have the name, or the state must be recovered before.
        PulumiError: The state cannot be read.
        openstack.exceptions.SDKException: Cinder cannot be reached, or refuses the request.
    """
    name = cinder_backups.volume_name(stack.name, backup.volume)
    if "/" in backup.volume:
        return Plan(backup=backup, name=name, present=None, urn=None)
    present = _named(connection, name)
    document = _state(stack)
    recorded = _recorded(document, backup.volume)
    if recorded and recorded["urn"] in unread(document) and present is not None and present.id == recorded["id"]:
        raise BackupError(
            f"{backup.volume}: the state has the volume {present.id}, but has not read it yet: "
            f"`python -m operations recover -s {stack.name}` completes the interrupted restore or recovery"
        )
    return Plan(backup=backup, name=name, present=present, urn=recorded["urn"] if recorded else None)


@dataclass(frozen=True, kw_only=True)
class Restore:
    """Carries out plans."""

    connection: "Connection"
    """Connection to the stack's project."""
    config: StackConfig
    """The stack configuration."""
    stack: PulumiStack
    """The stack, whose state gets the new volumes."""
    limit: float
    """Seconds to wait for Cinder."""
    progress: Progress
    """Receives messages about what is waited for."""

    def run(self, plan: Plan) -> Restored:
        """Restore a volume.

        Raises:
            BackupError: Cinder has failed to fill the volume, or needs longer; or the state must be recovered before.
            PulumiError: The state cannot be changed: the same command continues; or not be read: `recover` does that.
            openstack.exceptions.SDKException: Cinder cannot be reached, or refuses a request.
        """
        cinder = self.connection.block_storage
        volume = self._filled(plan)
        if plan.of_claim:
            return Restored(plan=plan, id=volume.id, name=plan.temporary)
        document: dict[str, Any] = {}
        if plan.urn is not None:
            document = _with_id(_state(self.stack), plan.urn, volume.id)
            self.stack.replace(document)
        replaced = ""
        if plan.present is not None:
            replaced = f"{plan.name}-replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}"
            cinder.update_volume(plan.present.id, name=replaced)
        cinder.update_volume(volume.id, name=plan.name)
        read(self.stack, document, self.progress)
        return Restored(plan=plan, id=volume.id, name=plan.name, replaced=replaced)

    def _filled(self, plan: Plan) -> Any:
        """Return the new volume with the content of the backup; continue with that of an interrupted restore."""
        cinder, backup, stack = self.connection.block_storage, plan.backup, self.stack.name
        volume: Any = _named(self.connection, plan.temporary)
        if volume is None:
            self.progress(f"{plan.volume}: creating {plan.temporary}")
            volume = cinder.create_volume(**_attributes(self.config, stack, plan))
        restoring = volume.status == "restoring-backup"
        volume = self._available(plan, volume.id)
        if volume.metadata.get(RESTORED_KEY) == backup.id:
            return volume
        if backup.kind == "backup" and not restoring and not _was_restored(volume):
            self.progress(f"{plan.volume}: restoring {backup.name}")
            cinder.restore_backup(backup.id, volume.id)
            cinder.set_volume_metadata(volume.id, **{RESTORED_KEY: _BEGUN})
            volume = self._available(plan, volume.id)
        # Cinder has replaced the metadata by that of the volume in the backup.
        cinder.set_volume_metadata(volume.id, **{STACK_KEY: stack, VOLUME_KEY: plan.volume, RESTORED_KEY: backup.id})
        return volume

    def _available(self, plan: Plan, id_: str) -> Any:
        """Return a volume once it is available."""
        started = reported = time.monotonic()
        patience, cinder = Patience(), self.connection.block_storage
        volume: Any
        while (volume := patience.ask(lambda: cinder.get_volume(id_))) is None or volume.status in _BUSY:
            now, status = time.monotonic(), volume.status if volume else "of unknown status"
            if now - started > self.limit:
                raise BackupError(f"{plan.temporary} is still {status}; the same command continues")
            if now - reported > REPORT:
                reported = now
                self.progress(f"{plan.volume}: {status} for {(now - started) / 60:.0f} min")
            time.sleep(POLL)
        if volume.status != "available":
            raise BackupError(
                f"{plan.temporary} ({volume.id}) has status {volume.status}: `openstack volume message list` may have "
                "the reason. Delete this volume, and try again"
            )
        return volume


def _suffix(backup: Backup) -> str:
    """Return what distinguishes the name of a new volume until it is complete."""
    return f"-from-{backup.time:%Y%m%d-%H%M%S}"


def _was_restored(volume: Any) -> bool:
    """Return whether the backup was restored into an available volume while no command waited for it.

    If that fails, Cinder gives the volume the status error_restoring or error (``restore_backup`` in
    ``cinder/backup/manager.py``). At its end it replaces the metadata of `_attributes`, and the mark that it has begun,
    by that of the volume in the backup, unless that had none (``BackupMetadataAPI`` in ``cinder/backup/driver.py``).
    """
    return RESTORED_KEY in volume.metadata or VOLUME_KEY not in volume.metadata


def _attributes(config: StackConfig, stack: str, plan: Plan) -> dict[str, Any]:
    backup, present = plan.backup, plan.present
    sizes, metadata = [backup.size], {STACK_KEY: stack, VOLUME_KEY: plan.volume}
    type_ = zone = None
    if plan.of_claim:
        description = f"Claim {plan.volume} of the Rubin Science Platform ({stack})"
        metadata |= dict(zip(CLAIM_KEYS, plan.volume.split("/"), strict=True))
    else:
        description = nfs_volume_description(stack, plan.volume)
    if present is not None:
        sizes.append(present.size)
        type_, zone = present.volume_type, present.availability_zone
    if (configured := config.nfs_volumes.get(plan.volume)) is not None:
        sizes.append(configured.size)
        type_, zone = configured.type or type_, configured.availability_zone or zone
    attributes: dict[str, Any] = {
        "name": plan.temporary,
        "description": description,
        "size": max(sizes),
        "metadata": metadata,
    }
    if backup.kind == "snapshot":
        # It gets the type and the zone of the snapshot's volume; Cinder refuses others.
        return {**attributes, "snapshot_id": backup.id}
    return {**attributes, "volume_type": type_, "availability_zone": zone}


def _named(connection: "Connection", name: str) -> Any | None:
    found = [each for each in connection.block_storage.volumes() if each.name == name]
    if len(found) > 1:
        ids = ", ".join(sorted(each.id for each in found))
        raise BackupError(f"several volumes have the name {name}: {ids}: rename all but the right one")
    return found[0] if found else None


def _recorded(document: Mapping[str, Any], export: str) -> dict[str, Any] | None:
    """Return the volume of an export in a state."""
    for each in resources(document):
        name = str(each["urn"]).rpartition("::")[2]
        if (each["type"], name) == (_VOLUME, f"nfs-{export}") and not each.get("delete"):
            return each
    return None


def _state(stack: PulumiStack) -> dict[str, Any]:
    """Return the state of a stack without pending operations, which replacing it would remove."""
    document = stack.export()
    if any(pending(document)):
        raise BackupError(
            f"a run on the stack {stack.name} is in progress or was interrupted: wait for its end, or run "
            f"`python -m operations recover -s {stack.name}`; then run the same command again"
        )
    return document


def _with_id(document: Mapping[str, Any], urn: str, id_: str) -> dict[str, Any]:
    """Return a state in which a volume has another ID, and its other properties have yet to be read."""
    found = [
        {**each, "id": id_, "outputs": {**each.get("outputs", {}), "id": id_}}
        if each["urn"] == urn and not each.get("delete")
        else each
        for each in resources(document)
    ]
    return with_unread(having(document, found), [urn])
