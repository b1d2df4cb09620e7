"""The state of the sandbox's services, as a table or as JSON."""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from rich.table import Table

_MEBIBYTE = 1024 * 1024


class State(StrEnum):
    """The state of a service."""

    RUNNING = "running"
    UNRESPONSIVE = "not answering"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class Row:
    """The state of one service."""

    service: str
    state: State
    port: int | None = None
    """TCP port; None if the service listens on none."""
    pid: int | None = None
    """Id of the process that leads the service's session; None if it does not run."""
    version: str = ""
    memory: int = 0
    """Proportional set size of all its processes in bytes."""


def table(rows: Iterable[Row]) -> Table:
    """Return a table of the rows with a total of their memory."""
    rows = list(rows)
    result = Table("service", "state", "port", "version", box=None, show_footer=True, header_style="bold")
    result.add_column("memory", justify="right", footer=_mebibytes(sum(row.memory for row in rows)))
    for row in rows:
        style = None if row.state is State.RUNNING else "red"
        cells = (row.service, row.state.value, str(row.port or ""), row.version, _mebibytes(row.memory))
        result.add_row(*cells, style=style)
    return result


def as_json(rows: Iterable[Row]) -> str:
    """Return the rows as a JSON list of objects with the fields of `Row`."""
    return json.dumps([asdict(row) for row in rows], indent=2)


def _mebibytes(size: int) -> str:
    return f"{size / _MEBIBYTE:,.0f} MiB" if size else ""
