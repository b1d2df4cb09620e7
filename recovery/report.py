"""The result of a recovery."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from recovery.pulumi_stack import Holder


class Outcome(StrEnum):
    """The result of the recovery of an interrupted operation."""

    RECORDED = "recorded"
    """The resource exists and was recorded in the state."""
    ABSENT = "not created"
    """The resource does not exist: the next run creates it."""
    REPEATED = "to be created again"
    """The next run repeats the creation, whether or not it was completed."""
    REMOVED = "removed"
    """The resource could not be used and was removed: the next run creates it."""
    REFRESHED = "refreshed"
    """The resource was being created, changed or deleted: the state was refreshed; the next run does the rest."""
    FAILED = "failed"
    """The resource exists and is in the state, but its service has not completed it: the user has to replace it."""
    UNSUPPORTED = "not supported"
    """Resources of this type cannot be found; the pending operation was removed from the state."""
    UNDECIDED = "undecided"
    """The user has to decide."""


@dataclass(frozen=True)
class Item:
    """An interrupted operation."""

    urn: str
    outcome: Outcome
    message: str = ""
    """Message for the user; never a secret."""
    id: str | None = None
    """ID of the resource that was found."""

    @property
    def label(self) -> str:
        """Type and logical name, as in the CLI's output."""
        kind, _, name = self.urn.rpartition("::")
        return f"{kind.rpartition('::')[2].rpartition('$')[2]} {name}"


@dataclass
class Report:
    """The result of a recovery, or the expected result in a dry run."""

    items: list[Item] = field(default_factory=list)
    unlocked: list[Holder] = field(default_factory=list)
    """Holders whose lock was released, or would be in a dry run."""
    dry_run: bool = False
    unrecorded: bool = False
    """True if nothing was recorded, as the user has to decide about one of the pending operations."""
    lock_unknown: bool = False
    """True if the lock was not checked, so that another run may be in progress."""

    @property
    def undecided(self) -> bool:
        """True if the user has to decide before the program can continue."""
        return any(each.outcome is Outcome.UNDECIDED for each in self.items)

    @property
    def failed(self) -> bool:
        """True if the user has to replace a resource before the program can continue."""
        return any(each.outcome is Outcome.FAILED for each in self.items)

    def lines(self) -> Iterable[str]:
        """Return the report as lines of text."""
        would = "would be " if self.dry_run else ""
        if self.lock_unknown:
            yield "lock: not checked in a dry run, as this backend shows it only to a command that takes it"
        for holder in self.unlocked:
            yield f"lock of {holder}: {would}released"
        for each in self.items:
            outcome = f"{would}{each.outcome}" if each.outcome in _DONE else each.outcome
            yield (
                f"{each.label}: {outcome}"
                + (f" ({each.id})" if each.id else "")
                + (f"; {each.message}" if each.message else "")
            )
        if self.undecided:
            nothing = "Nothing was recorded. " if self.unrecorded else ""
            yield f"{nothing}Resolve the undecided operations, then run the same command again."
        elif not self.items and not self.unlocked:
            yield "No interrupted run was found: there is nothing to do."
        elif self.failed:
            yield "Follow the messages about failed resources, then run the interrupted command again to continue."
        elif not self.dry_run:
            yield "Run the interrupted command again to continue."

    def as_json(self) -> str:
        """Return the report as JSON."""
        return json.dumps(
            {
                "dryRun": self.dry_run,
                "undecided": self.undecided,
                "lockChecked": not self.lock_unknown,
                "unlocked": [each._asdict() for each in self.unlocked],
                "operations": [asdict(each) for each in self.items],
            },
            indent=2,
        )


_DONE = {Outcome.RECORDED, Outcome.REMOVED, Outcome.REFRESHED}
