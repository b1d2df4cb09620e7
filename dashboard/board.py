"""What a dashboard shows: the last answers of the clouds, each with its time."""

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Generic, TypeVar

from probes.health.finding import Finding
from probes.health.report import Report
from probes.health.two_clusters import without_cluster

T = TypeVar("T")

_APPLICATIONS = "applications"
"""Name of the check of a cluster whose findings are the applications."""


@dataclass(frozen=True, kw_only=True)
class Dated(Generic[T]):
    """An answer, and when it was given."""

    value: T
    time: datetime


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """What the stack's state contains."""

    outputs: Mapping[str, str]
    """Stack outputs that are text and not secret, by name."""
    topology: str
    """Diagram of the platform as SVG."""


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """All that is known at one time. What a query does not answer remains that of the last one that did."""

    health: Report | None = None
    """Findings of the last round of checks; None before the first one."""
    facts: Mapping[str, Dated[list[Finding]]] = field(default_factory=dict)
    """By check, the last findings with a version or an expiry, or about applications."""
    deployment: Dated[Deployment] | None = None
    failures: tuple[str, ...] = ()
    """What the last round could not read besides what the findings say, without secrets."""

    def with_health(self, report: Report) -> "Snapshot":
        """Return the snapshot after another round of checks; a check without facts keeps those that it had."""
        facts = dict(self.facts)
        for check in dict.fromkeys(each.check for each in report.findings):
            if found := list(_facts(check, report.findings)):
                facts[check] = Dated(value=found, time=report.time)
        return replace(self, health=report, facts=facts)


def of_applications(check: str) -> bool:
    """Return whether the findings of a check are the applications of a cluster."""
    return without_cluster(check) == _APPLICATIONS


def _facts(check: str, findings: Iterable[Finding]) -> Iterable[Finding]:
    for each in findings:
        named = of_applications(check) and each.subject.startswith("application ")
        if each.check == check and (named or each.version or each.expires):
            yield each


class Board:
    """Asks for a snapshot in the background, at most once per interval however many clients there are.

    Args:
        ask: Returns the next snapshot after a given one. If it raises an exception, the given one is kept.
        interval: Seconds between the beginnings of two rounds.
    """

    def __init__(self, ask: Callable[[Snapshot], Snapshot], interval: float) -> None:
        self.snapshot = Snapshot()
        self.interval = interval
        self._ask = ask

    def start(self) -> None:
        """Start asking, until the program ends."""
        threading.Thread(target=self._run, daemon=True).start()

    def refresh(self) -> None:
        """Ask once."""
        try:
            self.snapshot = self._ask(self.snapshot)
        except Exception as error:  # noqa: BLE001  # must not end the rounds; its text may contain anything
            failure = f"the round itself failed: {type(error).__name__}"
            self.snapshot = replace(self.snapshot, failures=(failure,))

    def _run(self) -> None:
        while True:
            began = time.monotonic()
            self.refresh()
            time.sleep(max(1.0, self.interval - (time.monotonic() - began)))
