"""Whether this machine can connect to the databases outside of the cluster."""

import shlex
import socket
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from phalanx.databases import Database
from probes.health.check import concurrently
from probes.health.finding import Finding, ok, warning

TIMEOUT: Final = 5.0
"""Timeout of a connection in seconds."""


def check(databases: Sequence[Database]) -> Iterator[Finding]:
    """Check that each database accepts TCP connections; nothing is sent.

    Args:
        databases: The databases.
    """
    # The resolver has a timeout of its own.
    reached = concurrently([partial(failure, each) for each in databases], 2 * TIMEOUT)
    for each, reason in zip(databases, reached, strict=True):
        yield judge(each, "no answer" if reason is None else reason)


def failure(database: Database) -> str:
    """Return why a database does not accept connections; empty if it does."""
    try:
        with socket.create_connection((database.host, database.port), TIMEOUT):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def judge(database: Database, reason: str) -> Finding:
    """Return the finding about a database.

    Args:
        database: The database.
        reason: Why it does not accept connections from this machine; empty if it does.
    """
    subject = f"database {database.address}"
    users = ", ".join(database.applications)
    if not reason:
        return ok(subject, f"accepts connections from this machine; used by {users}")
    inside = f"nc -zvw5 {shlex.quote(database.host)} {database.port}"
    return warning(
        subject,
        f"is not reached from this machine: {reason}; used by {users} ({database.where})",
        "its firewall may accept the cluster only. Ask from there: `kubectl run -it --rm --restart=Never "
        f"--image=busybox reach -- {inside}`; docs/howto/external-databases.md",
    )
