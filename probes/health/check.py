"""Run health checks concurrently, each with a time limit."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from phalanx.errors import PhalanxError
from probes.health.finding import Finding, State, unknown
from probes.openstack_connection import first_line, openstack_errors

T = TypeVar("T")

TIME_LIMIT = 40.0
"""Seconds that a check may take; more than a refused request and its repetition."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A health check."""

    name: str
    """Name of the check, and subject of the finding if it cannot be run."""
    run: Callable[[], Iterable[Finding]]
    """Returns the findings; must not change anything."""
    requires: tuple[str, ...] = ()
    """Subjects without which it cannot be run."""
    remedy: str = ""
    """What helps if it cannot be run: a command or a page of the documentation."""
    failure: State = State.UNKNOWN
    """State if it cannot be run: CRITICAL if that shows a failure of its subject, such as a service that it asks."""


class Once(Generic[T]):
    """A value that several checks use, made once by the first of them; they share its failure, too.

    Args:
        make: Makes the value.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make, self._lock = make, threading.Lock()
        self._made: list[T] = []
        self._error: Exception | None = None

    def __call__(self) -> T:
        """Return the value.

        Raises:
            Exception: The value cannot be made.
        """
        with self._lock:
            if self._error is not None:
                raise self._error
            if not self._made:
                try:
                    self._made.append(self._make())
                except Exception as error:
                    self._error = error
                    raise
            return self._made[0]

    def retry(self) -> None:
        """Forget a failure, so that the next use tries again; a value is kept."""
        with self._lock:
            self._error = None


def run(checks: Sequence[Check], limit: float = TIME_LIMIT) -> list[Finding]:
    """Run checks concurrently, and return their findings in the order of the checks.

    Args:
        checks: The checks.
        limit: Seconds that each may take. One that takes longer is left behind, and is a finding itself.
    """
    found = concurrently([partial(_findings, check) for check in checks], limit)
    late = f"no answer within {limit:.0f} s"
    return [
        replace(each, check=check.name)
        for check, findings in zip(checks, found, strict=True)
        for each in (findings if findings is not None else [_failed(check, late)])
    ]


def concurrently(calls: Iterable[Callable[[], T]], limit: float) -> list[T | None]:
    """Call functions concurrently, and return their results; None for one that takes longer.

    They run in daemon threads, which do not delay the end of the program as those of an executor would.

    Args:
        calls: Functions that raise no exceptions.
        limit: Seconds that all may take together.
    """
    deadline = time.monotonic() + limit
    started: list[tuple[threading.Thread, list[T]]] = []
    for call in calls:
        results: list[T] = []
        thread = threading.Thread(target=_append, args=(results, call), daemon=True)
        thread.start()
        started.append((thread, results))
    for thread, _ in started:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [results[0] if results else None for _, results in started]


def _append(results: list[T], call: Callable[[], T]) -> None:
    results.append(call())


def _findings(check: Check) -> list[Finding]:
    """Run a check; if that fails, return this as its finding."""
    from requests.exceptions import RequestException

    try:
        return list(check.run())
    except PhalanxError as error:
        return [_failed(check, str(error))]
    except openstack_errors(RequestException, OSError) as error:
        return [_failed(check, f"request failed: {first_line(error)}")]
    except Exception as error:  # noqa: BLE001  # must not hide the other findings; its text may contain anything
        return [unknown(check.name, f"the check itself failed: {type(error).__name__}", check.remedy, check.requires)]


def _failed(check: Check, message: str) -> Finding:
    return Finding(
        subject=check.name, state=check.failure, message=message, remedy=check.remedy, because_of=check.requires
    )
