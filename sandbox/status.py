"""What runs in the sandbox, as a table for people or as JSON for machines."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.table import Table

_MEBIBYTE = 1024 * 1024


class State(StrEnum):
    """How a service does."""

    RUNNING = "running"
    UNRESPONSIVE = "not answering"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Row:
    """One service."""

    service: str
    state: State
    port: int | None = None
    """None for what listens on no TCP port."""
    pid: int | None = None
    """Of the process that leads the service's session; None if it does not run."""
    version: str = ""
    memory: int = 0
    """Proportional set size of all its processes, in bytes."""


def table(rows: Iterable[Row]) -> Table:
    """The rows, and the sum of their memory, for people."""
    rows = list(rows)
    result = Table("service", "state", "port", "version", box=None, show_footer=True, header_style="bold")
    result.add_column("memory", justify="right", footer=_mebibytes(sum(row.memory for row in rows)))
    for row in rows:
        style = None if row.state is State.RUNNING else "red"
        cells = (row.service, row.state.value, str(row.port or ""), row.version, _mebibytes(row.memory))
        result.add_row(*cells, style=style)
    return result


def as_json(rows: Iterable[Row]) -> str:
    """The rows as a JSON list of objects with the fields of `Row`."""
    return json.dumps([asdict(row) for row in rows], indent=2)


def _mebibytes(size: int) -> str:
    return f"{size / _MEBIBYTE:,.0f} MiB" if size else ""
