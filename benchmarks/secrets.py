"""Measure how long it takes to determine the secrets that an environment needs, on real Phalanx data."""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

from phalanx import application, environment, secrets
from phalanx.application import Application

DATA = Path(__file__).parents[1] / "tests" / "conformance" / "data"
RUNS = 5
GOAL = 1.0
"""Maximum time for any environment in seconds."""


class Measurement(NamedTuple):
    """A row of the table."""

    what: str
    applications: int
    secrets: int
    read: float
    """Median time to read and merge the files in seconds."""
    resolved: float
    """Median time to resolve the secrets after that in seconds."""

    @property
    def total(self) -> float:
        """Sum of both in seconds."""
        return self.read + self.resolved


def measure(what: str, load: Callable[[], dict[str, Application]]) -> Measurement:
    """Measure `RUNS` times how long it takes from the files to the list of secrets."""
    read, resolved = [], []
    for _ in range(RUNS):
        start = time.perf_counter()
        applications = load()
        loaded = time.perf_counter()
        needed = secrets.required(applications)
        resolved.append(time.perf_counter() - loaded)
        read.append(loaded - start)
    return Measurement(what, len(applications), len(needed), statistics.median(read), statistics.median(resolved))


def measurements() -> list[Measurement]:
    """Measure every environment of the data, and one that enables all applications."""
    upstream = DATA / "upstream"
    everything = sorted(path.name for path in (upstream / "applications").iterdir())
    return [
        *(
            measure(f"{root.name} {name}", partial(_load_environment, root, name))
            for root in (upstream, DATA / "lsst-uk")
            for name in environment.names(root)
        ),
        measure(
            "upstream, everything", lambda: {name: application.load(upstream, "base", name) for name in everything}
        ),
    ]


def _load_environment(root: Path, name: str) -> dict[str, Application]:
    return application.load_enabled(root, environment.load(root, name))


def main() -> bool:
    """Print the table and return whether the goal is met."""
    table = Table("environment", title=f"Secrets: median of {RUNS} runs in s, goal {GOAL:.1f} s")
    for heading in ("apps", "secrets", "read", "resolved", "total"):
        table.add_column(heading, justify="right")
    found = measurements()
    for one in found:
        numbers = (str(one.applications), str(one.secrets), *(f"{n:.3f}" for n in (one.read, one.resolved, one.total)))
        table.add_row(one.what, *numbers, style=None if one.total < GOAL else "red")
    Console().print(table)
    return all(one.total < GOAL for one in found)
