"""Shows a run on a terminal while it goes on, or as plain lines where there is none, and its result as a table."""

import json
import logging
import time
from collections.abc import Mapping
from typing import Any, Final, Self

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from sandbox.engine.report import Display, Report, Step, Verb

_LOG: Final = logging.getLogger(__name__)

_STYLE: Final[Mapping[Verb, tuple[str, str, str]]] = {
    "create": ("+", "green", "created"),
    "import": ("=", "green", "imported"),
    "recover": ("=", "cyan", "found again"),
    "update": ("~", "yellow", "updated"),
    "replace": ("±", "magenta", "replaced"),
    "delete": ("-", "red", "deleted"),
    "retain": ("-", "red", "retained"),
    "refresh": ("~", "yellow", "refreshed"),
    "discard": ("-", "magenta", "discarded"),
    "same": (" ", "dim", "unchanged"),
}
_LONGEST_VALUE: Final = 60  # characters


class LiveDisplay:
    """On a terminal, a line with a spinner for each operation under way; every ended operation leaves a line.

    Elsewhere, as in the log of a CI job, a line with the seconds since the beginning tells when an operation begins to
    wait for something, and when it has ended.

    Args:
        console: Where to show it; standard error, so that standard output stays for results.
        details: Whether each changed property is shown, as in a preview.
        planned: Whether the operations are only planned.
    """

    def __init__(self, console: Console, *, details: bool = False, planned: bool = False) -> None:
        self._console = console
        self._details = details
        self._planned = planned
        self._started = time.monotonic()
        self._tasks: dict[int, TaskID] = {}
        self._ended = 0
        self._said: set[str] = set()
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}[/]"),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._count = self._progress.add_task("", total=None, detail="")

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def begun(self, step: Step) -> None:
        """A spinner for the operation."""
        if step.verb != "same":
            self._tasks[id(step)] = self._progress.add_task(_line(step), total=None, detail="")
            self._show_count()

    def moved(self, step: Step) -> None:
        """What it waits for, beside the spinner."""
        if (task := self._tasks.get(id(step))) is not None:
            self._progress.update(task, detail=escape(step.waiting_for))
            if not self._console.is_terminal:
                self._print(f"  {_line(step)}: {escape(step.waiting_for)}")

    def ended(self, step: Step) -> None:
        """A line that stays."""
        self._ended += 1
        if (task := self._tasks.pop(id(step), None)) is not None:
            self._progress.remove_task(task)
        self._show_count()
        if step.verb == "same" and not step.error:
            return
        if step.error:
            self._print(f"[red]✗[/] {_line(step)}: [red]{escape(step.error)}[/]")
            return
        took = "" if self._planned else f" [dim]{step.seconds or 0:.1f} s[/]"
        reason = f" [dim]({escape(step.reason)})[/]" if step.reason else ""
        self._print(f"{_line(step)}{took}{reason}")
        if self._details or step.verb == "refresh":
            for change in step.changes:
                self._print(_change_line(change))

    def say(self, text: str, severity: str = "info") -> None:
        """A message; those for debugging go to the log alone, and none is shown twice."""
        if severity == "debug":
            _LOG.debug("%s", text)
            return
        if text in self._said:
            return  # in the preview before
        self._said.add(text)
        style = {"error": "red", "warning": "yellow"}.get(severity, "default")
        self._print(f"[{style}]{escape(text)}[/]")

    def _show_count(self) -> None:
        under_way = f", {len(self._tasks)} under way" if self._tasks else ""
        self._progress.update(self._count, description=f"[bold]{self._ended} done{under_way}[/]")

    def _print(self, markup: str) -> None:
        elapsed = "" if self._console.is_terminal or self._planned else f"[{time.monotonic() - self._started:6.1f} s] "
        self._console.print(f"{escape(elapsed)}{markup}", highlight=False, soft_wrap=True)


class MessagesOnly:
    """Passes on what the program has to say, and shows no operation: for the preview that comes before the work.

    Args:
        display: Shows the messages.
    """

    def __init__(self, display: Display) -> None:
        self._display = display

    def begun(self, step: Step) -> None:
        """Nothing."""

    def moved(self, step: Step) -> None:
        """Nothing."""

    def ended(self, step: Step) -> None:
        """Nothing."""

    def say(self, text: str, severity: str = "info") -> None:
        """Warnings and the like; faults are told with the result."""
        if severity != "error":
            self._display.say(text, severity)


class QuietDisplay:
    """Shows nothing: for `--json` and for passes whose result alone matters. Errors are in the report."""

    def begun(self, step: Step) -> None:
        """Nothing."""

    def moved(self, step: Step) -> None:
        """Nothing."""

    def ended(self, step: Step) -> None:
        """Nothing."""

    def say(self, text: str, severity: str = "info") -> None:
        """To the log, for `--debug`."""
        _LOG.log(logging.DEBUG if severity == "debug" else logging.INFO, "%s", text)


def summary(console: Console, report: Report, *, planned: bool = False) -> None:
    """The table at the end of a run: how many resources met with what, and how long it took."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for verb, number in report.counts.items():
        sign, style, past = _STYLE[verb]
        table.add_row(f"[{style}]{sign}[/]", f"{number}", f"to {verb}" if planned and verb != "same" else past)
    table.add_row("", f"{report.seconds:.1f} s", "")
    console.print(table)


def _line(step: Step) -> str:
    sign, style, _ = _STYLE[step.verb]
    return f"[{style}]{sign}[/] {step.verb} {escape(step.label)}"


def _change_line(change: Any) -> str:
    sign, style = {"add": ("+", "green"), "update": ("~", "yellow"), "delete": ("-", "red")}[change.kind]
    values = [_short(value) for value in (change.old, change.new) if value is not None]
    forces = " [magenta](replaces)[/]" if change.replaces else ""
    return f"    [{style}]{sign}[/] {escape(str(change))}: {' → '.join(values)}{forces}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return escape(text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…")
