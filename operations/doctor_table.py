"""The findings of `doctor` as a table."""

from collections.abc import Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from phalanx.certificates import rfc3339
from probes.health.finding import State
from probes.health.report import Report

_STYLES: Final = {State.OK: "green", State.WARNING: "yellow", State.UNKNOWN: "magenta", State.CRITICAL: "bold red"}
_MAX_EXPLAINED: Final = 4
"""Maximum number of findings that the table names as explained by another one."""


def table(report: Report) -> Group:
    """Return a report as a table - what is wrong, the worst first, then what works - and a last line."""
    found = Table()
    found.add_column("State")
    found.add_column("What", overflow="fold")
    found.add_column("Finding, and what to do", overflow="fold")
    for each in report.roots:
        text = Text(each.message)
        if each.remedy:
            text.append(f"\n→ {each.remedy}", style="bold")
        if explained := report.explained_by(each):
            text.append(f"\nexplains {_enumerate(explained)}", style="dim")
        found.add_row(Text(each.state.value, style=_STYLES[each.state]), Text(each.subject), text)
    found.add_section()
    for subject, message in report.in_order():
        found.add_row(Text("ok", style=_STYLES[State.OK]), Text(subject), Text(message))
    summary = f"{report.stack} at {rfc3339(report.time)}: {report.counts} ({report.seconds:.1f} s)"
    return Group(found, Text(summary, style=_STYLES[report.state]))


def _enumerate(subjects: Sequence[str]) -> str:
    shown = ", ".join(subjects[:_MAX_EXPLAINED])
    return f"{shown} and {len(subjects) - _MAX_EXPLAINED} more" if len(subjects) > _MAX_EXPLAINED else shown
