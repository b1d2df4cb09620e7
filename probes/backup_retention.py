"""Which backups of a volume are kept; plain arithmetic without network access."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from config.backups import Backups, Keep
from probes.cinder_backups import Backup

_DAYS_OF_A_WEEK = 7


def kept(backups: Iterable[Backup], keep: Keep) -> list[Backup]:
    """Return the backups to keep, the oldest first.

    Days and weeks (UTC, ISO 8601) without a good backup do not count, so that nothing expires while no backups are
    made. Of a week the first one is kept, which stays the same; with incremental backups it is the complete one.

    Args:
        backups: Snapshots and backups of any volumes.
        keep: How many to keep of each volume.
    """
    found: list[Backup] = []
    for _, each in _by_volume(backups):
        good = [backup for backup in each if backup.good]
        chosen = _daily(good, keep.daily) + _weekly(good, keep.weekly)
        found += _with_prerequisites(chosen, good)
    return sorted(found, key=lambda each: each.time)


def expired(backups: Sequence[Backup], keep: Keep) -> list[Backup]:
    """Return the backups to delete, the newest first, as incremental backups need the earlier ones.

    A failed one is deleted once there is a newer good one of its volume: until then it shows why there is none.

    Args:
        backups: Snapshots and backups of any volumes.
        keep: How many to keep of each volume.
    """
    staying = {each.id for each in kept(backups, keep)}
    last_good = {each.volume: each.time for each in sorted(backups, key=lambda each: each.time) if each.good}
    leaving = [
        each
        for each in backups
        if (each.good and each.id not in staying)
        or (each.failed and each.volume in last_good and last_good[each.volume] > each.time)
    ]
    return sorted(leaving, key=lambda each: each.time, reverse=True)


def most(backups: Backups) -> int:
    """Return the maximum number of backups of one volume, with the one that is made before others are deleted."""
    chain = _DAYS_OF_A_WEEK - 1 if backups.kind == "backup" and backups.incremental else 0
    return backups.keep.daily + backups.keep.weekly + 1 + chain


def week(backup: Backup) -> tuple[int, int]:
    """Return the year and week of a backup by ISO 8601."""
    year, number, _ = backup.time.isocalendar()
    return year, number


def _by_volume(backups: Iterable[Backup]) -> Iterable[tuple[str, Iterable[Backup]]]:
    ordered = sorted(backups, key=lambda each: (each.volume, each.time))
    return groupby(ordered, key=lambda each: each.volume)


def _daily(good: Sequence[Backup], days: int) -> list[Backup]:
    """Return the last of each day."""
    last = {each.time.date(): each for each in good}
    return list(last.values())[-days:]


def _weekly(good: Sequence[Backup], weeks: int) -> list[Backup]:
    """Return the first of each week."""
    first = {week(each): each for each in reversed(good)}
    return sorted(first.values(), key=lambda each: each.time)[-weeks:] if weeks else []


def _with_prerequisites(chosen: Iterable[Backup], good: Sequence[Backup]) -> list[Backup]:
    """Return backups with the earlier ones that they need: back to the last complete one of the same volume.

    Cinder does not report the parent of an incremental backup; these include it.
    """
    found = {each.id: each for each in chosen}
    for each in list(found.values()):
        needs_more = each.incremental
        for earlier in reversed(good):
            if not needs_more:
                break
            if earlier.kind == each.kind and earlier.volume_id == each.volume_id and earlier.time < each.time:
                found[earlier.id] = earlier
                needs_more = earlier.incremental
    return list(found.values())
