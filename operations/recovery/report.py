"""What a recovery has found and done."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from enum import StrEnum

from operations.recovery.pulumi_stack import Holder


class Outcome(StrEnum):
    """What became of an operation that was cut off."""

    RECORDED = "recorded"
    """It was made, and the state has it now."""
    ABSENT = "not made"
    """It was not made: the next run makes it."""
    AGAIN = "made again"
    """Whether it was made does not matter: the next run makes it again."""
    REMOVED = "removed"
    """What was made of it was worth nothing, and is gone: the next run makes it."""
    READ = "read again"
    """It was being changed or removed: the state has it as it really is, and the next run does the rest."""
    UNCOVERED = "unknown"
    """This program does not know how to find it; the state has forgotten it."""
    UNDECIDED = "undecided"
    """A person has to decide, and nothing was recorded."""


@dataclass(frozen=True)
class Item:
    """One operation that was cut off."""

    urn: str
    outcome: Outcome
    says: str = ""
    """What a person must know or do; never a secret."""
    id: str | None = None
    """Id of what was found."""

    @property
    def label(self) -> str:
        """Type and logical name, as the CLI shows them."""
        kind, _, name = self.urn.rpartition("::")
        return f"{kind.rpartition('::')[2].rpartition('$')[2]} {name}"


@dataclass
class Report:
    """What a recovery has found and done, or would do."""

    items: list[Item] = field(default_factory=list)
    unlocked: list[Holder] = field(default_factory=list)
    """Those whose lock was taken away, or would be."""
    dry_run: bool = False

    @property
    def undecided(self) -> bool:
        """Whether a person has to decide something before the program may go on."""
        return any(each.outcome is Outcome.UNDECIDED for each in self.items)

    def lines(self) -> Iterable[str]:
        """The report for a person."""
        would = "would be " if self.dry_run else ""
        for holder in self.unlocked:
            yield f"lock of {holder}: {would}taken away, as that process is gone or you said so"
        for each in self.items:
            outcome = f"{would}{each.outcome}" if each.outcome in _DONE else each.outcome
            yield (
                f"{each.label}: {outcome}"
                + (f" ({each.id})" if each.id else "")
                + (f"; {each.says}" if each.says else "")
            )
        if self.undecided:
            yield "Nothing was recorded. Decide what is undecided, then run the same command again."
        elif not self.items and not self.unlocked:
            yield "No run was cut off: there is nothing to do."
        elif not self.dry_run:
            yield "The interrupted command can be run again."

    def as_json(self) -> str:
        """The report for a program."""
        return json.dumps(
            {
                "dryRun": self.dry_run,
                "undecided": self.undecided,
                "unlocked": [each._asdict() for each in self.unlocked],
                "operations": [asdict(each) for each in self.items],
            },
            indent=2,
        )


_DONE = {Outcome.RECORDED, Outcome.REMOVED, Outcome.READ}
