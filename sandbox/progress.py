"""Progress of long commands: what they do and how long each part takes."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn


@dataclass(frozen=True)
class Phase:
    """A running part of a command."""

    _progress: Progress
    _task: TaskID
    _say: Callable[[str], None]

    def detail(self, text: str) -> None:
        """Show the current activity, on a terminal only."""
        self._progress.update(self._task, detail=text)

    def step(self, text: str) -> None:
        """Show an activity that is long enough for a line in a log as well."""
        self.detail(text)
        self._say(text)


class Phases:
    """The phases of a command; some run concurrently.

    On a terminal each phase has a line with a spinner, its current activity and its elapsed time. Elsewhere, as in the
    log of a CI job, a line is printed when a phase starts and when it ends.

    Args:
        console: Console to print to; standard error by default, as standard output is for results.
    """

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False)
        self._started = time.monotonic()
        self._lock = threading.Lock()
        self._progress = Progress(
            SpinnerColumn(finished_text="[green]✓[/]"),
            TextColumn("{task.description}"),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[detail]}[/]"),
            console=self._console,
            disable=not self._console.is_terminal,
        )
        self.durations: dict[str, float] = {}
        """Duration of each finished phase in seconds, in the order in which they ended."""

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    @contextmanager
    def phase(self, title: str) -> Iterator[Phase]:
        """Show a phase while the `with` block runs."""
        task = self._progress.add_task(title, total=1, detail="")
        started = time.monotonic()
        self._say(f"{title} ...")
        try:
            yield Phase(self._progress, task, self._say)
        except BaseException:
            self._progress.update(task, description=f"[red]{title}: failed[/]", detail="")
            self._progress.stop_task(task)
            self._say(f"{title}: failed")
            raise
        self.durations[title] = time.monotonic() - started
        self._progress.update(task, completed=1, detail="")
        self._say(f"{title}: done in {self.durations[title]:.1f} s")

    def _say(self, text: str) -> None:
        if not self._console.is_terminal:
            with self._lock:
                self._console.print(f"[{time.monotonic() - self._started:6.1f} s] {text}", markup=False, soft_wrap=True)
