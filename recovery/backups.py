"""Make snapshots and backups of a stack's volumes in Cinder, and delete expired ones."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final, TypeVar

from config.backups import Backups
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from probes import backup_retention, cinder_backups
from probes.cinder_backups import STACK_KEY, VOLUME_KEY, Backup, Source
from probes.openstack_connection import first_line, openstack_errors

if TYPE_CHECKING:
    from openstack.connection import Connection

T = TypeVar("T")

RECENT: Final = timedelta(hours=12)
"""Age up to which a good backup is not made again, so that a nightly run continues where it was interrupted."""
STUCK: Final = timedelta(days=2)
"""Age from which an unfinished backup is no longer waited for: its service has lost it."""
POLL: Final = 2.0
"""Seconds between two queries for a status."""
REPORT: Final = 60.0
"""Seconds between two reports of what is waited for."""
OUTAGE: Final = 600.0
"""Seconds for which Cinder's API may be unavailable while something is waited for."""

Progress = Callable[[str], None]
"""Receives messages for people."""


class BackupError(PhalanxError):
    """A backup cannot be made, deleted or restored."""


class Action(StrEnum):
    """What was done about a backup."""

    MADE = "made"
    PRESENT = "present"
    """A recent one exists."""
    FAILED = "failed"
    PLANNED = "to be made"
    DELETED = "deleted"
    KEPT = "not deleted"
    """Cinder has not deleted it."""
    EXPIRED = "to be deleted"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was done about a backup."""

    volume: str
    """As `Backup.volume`."""
    action: Action
    backup: Backup | None = None
    """The backup; None if none was made."""
    reason: str = ""
    """Why it was not made or deleted."""


class Patience:
    """Asks Cinder about something that may take hours, in which its API may be restarted."""

    def __init__(self) -> None:
        self._answered = time.monotonic()

    def ask(self, call: Callable[[], T]) -> T | None:
        """Return the result of a function; None during an outage of up to `OUTAGE` seconds.

        Args:
            call: Function that asks Cinder.

        Raises:
            openstack.exceptions.SDKException: What is asked for does not exist, or the outage lasts longer.
            keystoneauth1.exceptions.ClientException: As before, if Cinder or Keystone cannot be reached.
        """
        from openstack.exceptions import NotFoundException

        try:
            found = call()
        except NotFoundException:
            raise
        except openstack_errors():
            if time.monotonic() - self._answered > OUTAGE:
                raise
            return None
        self._answered = time.monotonic()
        return found


@dataclass(frozen=True, kw_only=True)
class VolumeBackups:
    """The backups of a stack's volumes."""

    connection: "Connection"
    """Connection to the stack's project."""
    config: StackConfig
    """The stack configuration."""
    stack: str
    """Name of the stack."""
    deadline: float
    """Value of `time.monotonic` until which to wait for Cinder, in all calls together."""
    progress: Progress
    """Receives messages about what is waited for."""

    def create(self, *, again: bool = False, dry_run: bool = False) -> list[Result]:
        """Make a backup of each configured volume that has no recent one.

        Args:
            again: Whether to make them also of volumes with a recent one.
            dry_run: Whether to make none.

        Returns:
            One result for each volume. A failure of one does not stop the others.

        Raises:
            BackupError: No backups are configured.
            openstack.exceptions.SDKException: Cinder cannot be reached, or refuses to list volumes.
        """
        present, now = cinder_backups.find(self.connection, self.stack), datetime.now(UTC)
        results: dict[str, Result] = {}
        wanted: list[Source] = []
        kind = self._settings.kind
        for source in cinder_backups.sources(self.connection, self.config, self.stack):
            recent = _recent([each for each in present if (each.volume, each.kind) == (source.name, kind)], now)
            if recent is not None and (recent.unfinished or not again):
                results[source.name] = Result(volume=source.name, action=Action.PRESENT, backup=recent)
            elif source.flaw:
                results[source.name] = Result(volume=source.name, action=Action.FAILED, reason=source.flaw)
            else:
                wanted.append(source)
                results[source.name] = Result(volume=source.name, action=Action.PLANNED)
        if dry_run:
            return list(results.values())
        for source in wanted:
            results[source.name] = self._start(source, present, now)
        return [_judged(each) for each in self._finished(list(results.values()))]

    def prune(self, *, dry_run: bool = False) -> list[Result]:
        """Delete the stack's expired backups one after another.

        Args:
            dry_run: Whether to delete none.

        Returns:
            One result for each expired backup.

        Raises:
            BackupError: No backups are configured.
            openstack.exceptions.SDKException: Cinder cannot be reached, or refuses to list them.
        """
        results = []
        for each in backup_retention.expired(cinder_backups.find(self.connection, self.stack), self._settings.keep):
            action, reason = Action.EXPIRED, ""
            if not dry_run:
                self.progress(f"{each.volume}: deleting {each.name}")
                try:
                    self._delete(each)
                    action = Action.DELETED
                except openstack_errors(BackupError) as error:
                    action, reason = Action.KEPT, first_line(error)
            results.append(Result(volume=each.volume, action=action, backup=each, reason=reason))
        return results

    @property
    def _settings(self) -> Backups:
        if self.config.backups.kind == "none":
            raise BackupError("rsp:backups.kind: is none, so nothing is backed up: see docs/howto/backups.md")
        return self.config.backups

    def _start(self, source: Source, present: Sequence[Backup], now: datetime) -> Result:
        """Ask Cinder for a backup of a volume."""
        kind, cinder = self._settings.kind, self.connection.block_storage
        volume: Any = source.volume
        self.progress(f"{source.name}: making a {kind}")
        attributes: dict[str, Any] = {
            "name": f"{cinder_backups.volume_name(self.stack, source.name)}-{now:%Y%m%d-%H%M%S}",
            "description": f"Made by `python -m operations backup create -s {self.stack}`",
            "volume_id": volume.id,
            "metadata": {STACK_KEY: self.stack, VOLUME_KEY: source.name},
        }
        made: Any
        try:
            if kind == "snapshot":
                # Of an attached volume: the content is that after a power failure.
                made = cinder.create_snapshot(**attributes, is_forced=True)
            else:
                incremental = self._settings.incremental and self._has_parent(volume.id, present, now)
                made = cinder.create_backup(**attributes, force=True, is_incremental=incremental)
            # The answer has neither the time nor the metadata.
            backup = self._read(kind, made.id)
        except openstack_errors() as error:
            return Result(volume=source.name, action=Action.FAILED, reason=first_line(error))
        return Result(volume=source.name, action=Action.PLANNED, backup=backup)

    def _has_parent(self, volume_id: str, present: Sequence[Backup], now: datetime) -> bool:
        """Return whether an incremental backup is possible and there is a complete one of this week.

        Cinder takes the last backup of the volume, whoever has made it, and refuses one that has failed.
        """
        year, number, _ = now.isocalendar()
        complete = any(
            each.volume_id == volume_id
            and each.kind == "backup"
            and each.good
            and not each.incremental
            and backup_retention.week(each) == (year, number)
            for each in present
        )
        if not complete:
            return False
        every = self.connection.block_storage.backups(volume_id=volume_id)
        last = max(every, key=lambda each: str(each.data_timestamp or each.created_at))
        return str(last.status) == "available"

    def _finished(self, results: Sequence[Result]) -> list[Result]:
        """Wait until all backups are complete or have failed."""
        started = reported = time.monotonic()
        patience, found = Patience(), list(results)
        while waiting := [index for index, each in enumerate(found) if each.backup and each.backup.unfinished]:
            now = time.monotonic()
            if now > self.deadline:
                break
            if now - reported > REPORT:
                reported = now
                names = ", ".join(found[index].volume for index in waiting)
                self.progress(f"{names}: not complete after {(now - started) / 60:.0f} min")
            time.sleep(POLL)
            for index in waiting:
                before: Any = found[index].backup
                try:
                    after = patience.ask(lambda before=before: self._read(before.kind, before.id))  # type: ignore[misc]
                except openstack_errors() as error:
                    reason = f"{before.name} cannot be read: {first_line(error)}"
                    found[index] = replace(found[index], action=Action.FAILED, backup=None, reason=reason)
                else:
                    found[index] = replace(found[index], backup=after or before)
        return found

    def _read(self, kind: str, id_: str) -> Backup:
        cinder: Any = self.connection.block_storage
        return cinder_backups.from_sdk(kind, cinder.get_snapshot(id_) if kind == "snapshot" else cinder.get_backup(id_))

    def _delete(self, backup: Backup) -> None:
        """Delete a backup, and wait until it is gone: until then its parent cannot be deleted.

        Raises:
            BackupError: It still exists.
            openstack.exceptions.SDKException: Cinder refuses the request.
        """
        from openstack import exceptions

        cinder = self.connection.block_storage
        if backup.kind == "snapshot":
            cinder.delete_snapshot(backup.id)
        else:
            cinder.delete_backup(backup.id)
        while True:
            try:
                status = self._read(backup.kind, backup.id).status
            except exceptions.NotFoundException:
                return
            if status != "deleting":
                raise BackupError(f"it has status {status}: a volume that was restored from it may need it")
            if time.monotonic() > self.deadline:
                raise BackupError("it is still being deleted")
            time.sleep(POLL)


def _recent(ours: Sequence[Backup], now: datetime) -> Backup | None:
    """Return the backup of a volume that is being made, or the last good one if it is recent."""
    for each in reversed(ours):
        age = now - each.time
        if (each.unfinished and age < STUCK) or (each.good and age < RECENT):
            return each
    return None


def _judged(result: Result) -> Result:
    """Return a result after the backup is complete or has failed."""
    backup = result.backup
    if backup is None:
        return result
    if backup.good:
        return result if result.action is Action.PRESENT else replace(result, action=Action.MADE)
    state = "is not complete; a later run waits for it" if backup.unfinished else f"has status {backup.status}"
    reason = f": {backup.reason}" if backup.reason else ""
    return replace(result, action=Action.FAILED, reason=f"{backup.name} {state}{reason}")
