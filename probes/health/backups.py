"""Age of the last good backup of each volume."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from config.stack_config import StackConfig
from probes import backup_retention, cinder_backups
from probes.cinder_backups import Backup, Source
from probes.health.finding import Finding, critical, ok, warning

if TYPE_CHECKING:
    from openstack.connection import Connection

BACKUPS: Final = "backups"

LATE: Final = timedelta(hours=30)
"""Age from which the last backup is a warning: last night's was not made."""
TOO_OLD: Final = timedelta(hours=78)
"""Age from which it is a failure: three nights were missed."""

_GUIDE: Final = "docs/howto/backups.md"


def check(connection: "Connection", config: StackConfig, stack: str, now: datetime) -> Iterator[Finding]:
    """Check the backups of the configured volumes, and name the shares, of which there are none.

    Args:
        connection: Connection to the project.
        config: The stack configuration.
        stack: Name of the stack.
        now: Current time.
    """
    if config.shares:
        yield warning(
            "backups of shares", f"this program backs up no shares: {', '.join(sorted(config.shares))}", _GUIDE
        )
    if config.backups.kind == "none":
        yield warning(BACKUPS, "rsp:backups.kind is none: this program backs up no volume", _GUIDE)
        return
    found = cinder_backups.find(connection, stack)
    expired = {each.id for each in backup_retention.expired(found, config.backups.keep)}
    for source in cinder_backups.sources(connection, config, stack):
        yield judge(source, [each for each in found if each.volume == source.name], expired, stack, now)


def judge(source: Source, found: Sequence[Backup], expired: set[str], stack: str, now: datetime) -> Finding:
    """Return the finding about the backups of a volume.

    Args:
        source: The volume.
        found: Its backups, the oldest first.
        expired: IDs of expired ones.
        stack: Name of the stack.
        now: Current time.
    """
    about = f"backups of {source.name}"
    good = [each for each in found if each.good]
    since = good[-1].time if good else _created(source)
    age = now - since if since else None
    lines = [f"the last good one is {_text(now - good[-1].time)} old" if good else "there is no good one"]
    if source.flaw:
        lines.append(f"no other can be made: {source.flaw}")
    failed = [each for each in found if each.failed and (not good or each.time > good[-1].time)]
    lines += [
        f"{each.name} has status {each.status}{f': {each.reason}' if each.reason else ''}" for each in failed[-1:]
    ]
    remedy = f"`python -m operations backup create -s {stack}`; why the nightly run has not made it: {_GUIDE}"
    if age is None or age > TOO_OLD:
        return critical(about, "\n".join(lines), remedy, ("Cinder",))
    if age > LATE or failed or source.flaw:
        return warning(about, "\n".join(lines), remedy, ("Cinder",))
    if not good:
        return ok(about, f"none yet, as the volume is {_text(age)} old")
    left = sum(each.id in expired for each in found)
    return ok(about, f"{len(good)}, {lines[0]}" + (f"; {left} expired" if left else ""))


def _created(source: Source) -> datetime | None:
    """Return when a volume without backups was created; None if it does not exist."""
    created = source.volume.created_at if source.volume is not None else None
    return datetime.fromisoformat(created).replace(tzinfo=UTC) if created else None


def _text(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004  # two days
