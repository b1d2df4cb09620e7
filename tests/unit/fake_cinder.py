"""A Cinder that keeps volumes, snapshots and backups in memory, as openstacksdk shows them."""

from datetime import UTC, datetime, timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

from openstack import exceptions


class FakeCinder:
    """The part of openstacksdk's proxy that backups need. What is created is complete at the second look."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)
        self.existing: dict[str, Any] = {}
        self.failing: set[str] = set()
        """IDs of volumes whose snapshots and backups fail."""
        self.stuck = False
        """Whether nothing is ever complete, or deleted."""
        self.outages = 0
        """Number of requests for a status, after the first ones, that fail."""
        self.undeletable: set[str] = set()
        """IDs of snapshots and backups that remain."""
        self.deleted: list[str] = []
        self.restored: list[str] = []
        """IDs of the backups whose restores were accepted."""
        self._ids = count(1)

    def add(self, kind: str, name: str, status: str = "available", **values: Any) -> Any:
        """Add a volume, snapshot or backup."""
        id_ = f"{kind}-{next(self._ids)}"
        defaults = {"size": 1, "metadata": {}, "created_at": self.now.isoformat().removesuffix("+00:00")}
        made = SimpleNamespace(kind=kind, id=id_, name=name, status=status, **{**defaults, **values})
        self.existing[id_] = made
        return made

    def made(self, kind: str, volume: Any, hours_ago: float, status: str = "available", **values: Any) -> Any:
        """Add a snapshot or backup of a volume of the stack ``test``, whose commands made it some time ago."""
        of = volume.name.removeprefix("rsp-test-nfs-")
        at = (self.now - timedelta(hours=hours_ago)).isoformat().removesuffix("+00:00")
        specific = {"data_timestamp": at, "is_incremental": False, "fail_reason": None} if kind == "backup" else {}
        marks = {"rsp_stack": "test", "rsp_volume": of}
        values = {
            "volume_id": volume.id,
            "metadata": marks,
            "created_at": at,
            "size": volume.size,
            **specific,
            **values,
        }
        return self.add(kind, f"{volume.name}-{hours_ago}", status, **values)

    def of(self, kind: str) -> list[Any]:
        """Return all of a kind."""
        return [each for each in self.existing.values() if each.kind == kind]

    def volumes(self) -> list[Any]:
        return self.of("volume")

    def snapshots(self) -> list[Any]:
        return self.of("snapshot")

    def backups(self, volume_id: str | None = None) -> list[Any]:
        return [each for each in self.of("backup") if volume_id in (None, each.volume_id)]

    def create_volume(self, **values: Any) -> Any:
        return self.add("volume", status="creating", **values)

    def create_snapshot(self, *, is_forced: bool, **values: Any) -> Any:
        assert is_forced
        return self._create("snapshot", values)

    def create_backup(self, *, force: bool, **values: Any) -> Any:
        assert force
        return self._create("backup", {"data_timestamp": None, "fail_reason": None, **values})

    def restore_backup(self, backup: str, volume: str) -> None:
        self.existing[volume].status = "restoring-backup"
        self.existing[volume].content = backup
        self.restored.append(backup)

    def update_volume(self, volume: str, **values: Any) -> None:
        vars(self.existing[volume]).update(values)

    def set_volume_metadata(self, volume: str, **values: str) -> None:
        self.existing[volume].metadata |= values

    def get_volume(self, id_: str) -> Any:
        return self._look(id_)

    def get_snapshot(self, id_: str) -> Any:
        return self._look(id_)

    def get_backup(self, id_: str) -> Any:
        return self._look(id_)

    def delete_snapshot(self, id_: str) -> None:
        self._delete(id_)

    def delete_backup(self, id_: str) -> None:
        # As in cinder/backup/api.py, with the chain by time.
        this = self.existing[id_]
        later = [each for each in self.backups(this.volume_id) if each.created_at > this.created_at]
        if any(_is_next(each, this, later) for each in later):
            raise exceptions.BadRequestException("Incremental backups exist for this backup.")
        self._delete(id_)

    def _create(self, kind: str, values: dict[str, Any]) -> Any:
        if self.existing[values["volume_id"]].status == "refused":
            raise exceptions.HttpException("Maximum number of snapshots allowed (10) exceeded.\nmore")
        return self.add(kind, status="creating", **{**values, "size": self.existing[values["volume_id"]].size})

    def _look(self, id_: str) -> Any:
        if id_ not in self.existing:
            raise exceptions.NotFoundException(id_)
        found = self.existing[id_]
        if self.outages and getattr(found, "seen", False):
            self.outages -= 1
            raise exceptions.HttpException("503 Service Unavailable")
        found.seen = True
        shown = SimpleNamespace(**vars(found))
        if found.status in ("creating", "restoring-backup") and not self.stuck:
            if found.status == "restoring-backup":
                # Of the volume in the backup, if it had any.
                of = self.existing.get(self.existing[found.content].volume_id)
                found.metadata = dict(of.metadata) if of and of.metadata else found.metadata
            found.status = "error" if getattr(found, "volume_id", None) in self.failing else "available"
        elif found.status == "deleting" and not self.stuck:
            if id_ in self.undeletable:
                found.status = "available"
            else:
                del self.existing[id_]
                self.deleted.append(id_)
        return shown

    def _delete(self, id_: str) -> None:
        self.existing[id_].status = "deleting"


def _is_next(each: Any, this: Any, later: list[Any]) -> bool:
    return bool(each.is_incremental) and each is min(later, key=lambda one: one.created_at) and this is not each
