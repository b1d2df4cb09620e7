"""Findings of the health checks, as a table and as JSON."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from phalanx.certificates import rfc3339
from probes.health.finding import Finding, State

VERSION: Final = 1
"""Version of the JSON document; it changes if a field is removed or gets another meaning."""

_STYLES: Final = {State.OK: "green", State.WARNING: "yellow", State.UNKNOWN: "magenta", State.CRITICAL: "bold red"}
_MAX_EXPLAINED: Final = 4
"""Maximum number of findings that the table names as explained by another one."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """State of a stack at one time."""

    stack: str
    time: datetime
    seconds: float
    """Duration of the checks."""
    findings: Sequence[Finding]
    """All findings, with their root causes."""

    @property
    def state(self) -> State:
        """The worst state of what no other finding explains."""
        return max((each.state for each in self.roots), key=lambda each: each.severity, default=State.OK)

    @property
    def roots(self) -> list[Finding]:
        """What is wrong and not explained by something else, the worst first."""
        found = [each for each in self.findings if each.is_root]
        return sorted(found, key=lambda each: -each.state.severity)

    def as_data(self) -> dict[str, Any]:
        """Return the report as JSON values."""
        return {
            "version": VERSION,
            "stack": self.stack,
            "time": rfc3339(self.time),
            "state": self.state.value,
            "findings": [
                {
                    "check": each.check,
                    "subject": each.subject,
                    "state": each.state.value,
                    "message": each.message,
                    "remedy": each.remedy,
                    "explainedBy": each.explained_by,
                }
                for each in self.findings
            ],
        }

    def rendered(self) -> Group:
        """Return the report as a table - what is wrong, the worst first, then what is in order - and a last line."""
        table = Table()
        table.add_column("State")
        table.add_column("What", overflow="fold")
        table.add_column("Finding, and what to do", overflow="fold")
        for each in self.roots:
            text = Text(each.message)
            if each.remedy:
                text.append(f"\n→ {each.remedy}", style="bold")
            if explained := [other.subject for other in self.findings if other.explained_by == each.subject]:
                text.append(f"\nexplains {_enumerate(explained)}", style="dim")
            table.add_row(Text(each.state.value, style=_STYLES[each.state]), Text(each.subject), text)
        table.add_section()
        for subject, message in _in_order(self.findings):
            table.add_row(Text("ok", style=_STYLES[State.OK]), Text(subject), Text(message))
        return Group(table, Text(self._summary(), style=_STYLES[self.state]))

    def _summary(self) -> str:
        counts = [(state, sum(each.state is state for each in self.roots)) for state in reversed(State)]
        wrong = ", ".join(f"{count} {state.value}" for state, count in counts if count)
        return f"{self.stack} at {rfc3339(self.time)}: {wrong or 'healthy'} ({self.seconds:.1f} s)"


def _in_order(findings: Iterable[Finding]) -> Iterator[tuple[str, str]]:
    """Yield a line for each check with healthy subjects, and one for neighbors with the same message."""
    lines = [_healthy(check, list(group)) for check, group in groupby(findings, key=lambda each: each.check)]
    for message, group in groupby((line for line in lines if line), key=lambda line: line[1]):
        yield ", ".join(subject for subject, _ in group), message


def _healthy(check: str, findings: Sequence[Finding]) -> tuple[str, str] | None:
    healthy = [each for each in findings if each.state is State.OK]
    if not healthy:
        return None
    first, *others = sorted(healthy, key=lambda each: each.subject != check)
    if first.subject != check and others:
        return check, f"{len(healthy)} in order"
    return first.subject, f"{first.message}; {len(others)} more in order" if others else first.message


def _enumerate(subjects: Sequence[str]) -> str:
    # Applications say more than their pods.
    unique = sorted(dict.fromkeys(subjects), key=lambda each: each.startswith("pod "))
    shown = ", ".join(unique[:_MAX_EXPLAINED])
    return f"{shown} and {len(unique) - _MAX_EXPLAINED} more" if len(unique) > _MAX_EXPLAINED else shown
