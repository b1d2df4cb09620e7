"""Health of the shares of the stack in Manila."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from config.names import cloud_name
from config.shares import Share
from probes.health.finding import Finding, critical, ok

if TYPE_CHECKING:
    from openstack.connection import Connection

_GUIDE: Final = "docs/howto/shared-filesystem.md"

_USABLE: Final = frozenset({"available", "extending", "extending_error"})
"""Statuses of a share that clients can mount."""


def subject(name: str) -> str:
    """Return the subject of the finding about a share."""
    return f"share {name}"


def check(connection: "Connection", wanted: Mapping[str, Share], stack: str) -> Iterator[Finding]:
    """Check that the shares exist and can be mounted.

    Args:
        connection: Connection to the project.
        wanted: Configured shares by name.
        stack: Name of the stack.
    """
    manila: Any = connection.shared_file_system
    existing = {each.name: each for each in manila.shares()}
    yield from judge({name: existing.get(cloud_name(stack, f"share-{name}")) for name in wanted})


def judge(found: Mapping[str, Any | None]) -> Iterator[Finding]:
    """Yield the findings about shares.

    Args:
        found: Shares by name; None if one does not exist.
    """
    for name, share in found.items():
        if share is None:
            yield critical(subject(name), "does not exist", _GUIDE)
        elif share.status not in _USABLE:
            remedy = f"`openstack share show {share.name}`, `openstack share message list`; {_GUIDE}"
            yield critical(subject(name), f"{share.name} has status {share.status}", remedy)
        elif share.access_rules_status == "error":
            remedy = f"`openstack share access list {share.name}`; {_GUIDE}"
            yield critical(subject(name), f"{share.name}: an access rule has status error", remedy)
        else:
            yield ok(subject(name), f"{share.size} GiB, {share.status}")
