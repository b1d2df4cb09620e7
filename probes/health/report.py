"""All findings of one run of the health checks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final

from phalanx.certificates import rfc3339
from probes.health.finding import Finding, State

VERSION: Final = 1
"""Version of the JSON document; it changes if a field is removed or gets another meaning."""


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

    @property
    def counts(self) -> str:
        """Number of root causes by state, the worst first; ``healthy`` if there are none."""
        counted = [(state, sum(each.state is state for each in self.roots)) for state in reversed(State)]
        return ", ".join(f"{count} {state.value}" for state, count in counted if count) or "healthy"

    def explained_by(self, root: Finding) -> list[str]:
        """Return the subjects of what follows from a root cause; pods last, as their Applications say more."""
        subjects = dict.fromkeys(each.subject for each in self.findings if each.explained_by == root.subject)
        return sorted(subjects, key=lambda each: each.startswith("pod "))

    def in_order(self) -> Iterator[tuple[str, str]]:
        """Yield subjects and message for each check with healthy subjects; one for neighbors with the same message."""
        checks = groupby(self.findings, key=lambda each: each.check)
        lines = [_healthy(check, list(group)) for check, group in checks]
        for message, group in groupby((line for line in lines if line), key=lambda line: line[1]):
            yield ", ".join(subject for subject, _ in group), message

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


def _healthy(check: str, findings: Sequence[Finding]) -> tuple[str, str] | None:
    healthy = [each for each in findings if each.state is State.OK]
    if not healthy:
        return None
    first, *others = sorted(healthy, key=lambda each: each.subject != check)
    if first.subject != check and others:
        return check, f"{len(healthy)} ok"
    return first.subject, f"{first.message}; {len(others)} more ok" if others else first.message
