"""What happened to which resource: collected for the summary, and shown as it happens by a display."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

from sandbox.engine import urns
from sandbox.engine.diff import Change
from sandbox.engine.errors import EngineError

Verb = Literal["create", "update", "replace", "discard", "delete", "same", "refresh", "retain", "recover", "import"]
"""`discard` is the end of a resource whose successor has been made: the second half of `replace`."""

COUNTED: Final[tuple[Verb, ...]] = (
    "create",
    "import",
    "recover",
    "update",
    "replace",
    "delete",
    "retain",
    "refresh",
    "same",
)
"""The verbs of the summary, in its order."""


@dataclass
class Step:
    """One operation on one resource.

    Attributes:
        error: Why it failed; None as long as it did not.
        seconds: How long it took; None while it goes on.
    """

    verb: Verb
    urn: str
    changes: Sequence[Change] = ()
    reason: str = ""
    error: str | None = None
    seconds: float | None = None
    waiting_for: str = ""
    started: float = field(default_factory=time.monotonic)

    @property
    def label(self) -> str:
        """Type and name, short enough for a line."""
        kind = urns.type_of(self.urn)
        package, _, rest = kind.partition(":")
        return f"{package}:{rest.rpartition(':')[2]} {urns.name_of(self.urn)}"

    def as_json(self) -> dict[str, Any]:
        """The step for a machine; no secret in it."""
        return {
            "op": self.verb,
            "urn": self.urn,
            "type": urns.type_of(self.urn),
            "name": urns.name_of(self.urn),
            "changes": [
                {"path": str(each), "kind": each.kind, "old": each.old, "new": each.new, "replaces": each.replaces}
                for each in self.changes
            ],
            "reason": self.reason,
            "error": self.error,
            "seconds": None if self.seconds is None else round(self.seconds, 3),
        }


class Display(Protocol):
    """Shows a run to a person; called from several threads, one at a time."""

    def begun(self, step: Step) -> None:
        """An operation begins."""

    def moved(self, step: Step) -> None:
        """It now waits for something else."""

    def ended(self, step: Step) -> None:
        """It has ended, well or not."""

    def say(self, text: str, severity: str = "info") -> None:
        """Something that the program or the engine has to say."""


class Report:
    """All that happened in one run."""

    def __init__(self, display: Display) -> None:
        self._display = display
        self._lock = threading.Lock()
        self._started = time.monotonic()
        self.steps: list[Step] = []
        self.errors: list[str] = []
        self.seconds = 0.0

    def begin(self, verb: Verb, urn: str, changes: Sequence[Change] = (), reason: str = "") -> Step:
        """An operation begins."""
        step = Step(verb=verb, urn=urn, changes=changes, reason=reason)
        with self._lock:
            self.steps.append(step)
            self._display.begun(step)
        return step

    def waiting(self, step: Step, text: str) -> None:
        """The operation waits for something."""
        with self._lock:
            step.waiting_for = text
            self._display.moved(step)

    def end(self, step: Step, error: str | None = None) -> None:
        """The operation has ended."""
        with self._lock:
            step.seconds = time.monotonic() - step.started
            step.error = error
            if error:
                self.errors.append(f"{step.label}: {error}")
            self._display.ended(step)

    @contextmanager
    def step(self, verb: Verb, urn: str, changes: Sequence[Change] = (), reason: str = "") -> Iterator[Step]:
        """An operation that lasts as long as the `with` block; an exception that leaves the block is its failure."""
        step = self.begin(verb, urn, changes, reason)
        try:
            yield step
        except EngineError as error:
            self.end(step, str(error))
            raise
        except Exception as error:
            self.end(step, f"unexpected {type(error).__name__}: {error}")
            raise
        self.end(step)

    def failed(self, urn: str) -> bool:
        """Whether an operation on that resource has failed."""
        return any(step.urn == urn and step.error for step in self.steps)

    def fail(self, text: str) -> None:
        """Something failed that is no operation on a resource."""
        with self._lock:
            self.errors.append(text)
            self._display.say(text, "error")

    def say(self, text: str, severity: str = "info") -> None:
        """Tell the person something."""
        with self._lock:
            self._display.say(text, severity)

    def close(self) -> None:
        """The run has ended."""
        self.seconds = time.monotonic() - self._started

    @property
    def counts(self) -> dict[Verb, int]:
        """How many resources met with each verb, without those that failed."""
        counter = Counter(step.verb for step in self.steps if step.error is None)
        return {verb: counter[verb] for verb in COUNTED if counter[verb]}

    def as_json(self) -> dict[str, Any]:
        """The run for a machine; no secret in it."""
        return {
            "steps": [step.as_json() for step in self.steps],
            "summary": self.counts,
            "errors": self.errors,
            "seconds": round(self.seconds, 3),
        }
