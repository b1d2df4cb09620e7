"""The interface by which the result of an interrupted creation is found in its service."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from recovery.document import Inputs

Client = TypeVar("Client")

POLL = 2.0
"""Seconds between two queries for the status of a resource."""


class AmbiguousError(Exception):
    """It is unclear whether an existing resource belongs to the stack; the message has the reason and the fix."""


@dataclass(frozen=True)
class Found:
    """An existing resource that matches the inputs of a creation.

    Attributes:
        id: ID in the format of Pulumi's provider.
        outputs: Properties in addition to the inputs that a refresh does not restore, such as the provider's metadata.
        difference: How it differs from the inputs, so that it may not be the stack's; empty if it does not.
    """

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    difference: str = ""


@dataclass(frozen=True, kw_only=True)
class Finder(Generic[Client]):
    """The functions that find resources of one type.

    Attributes:
        find: Returns all resources that match the inputs, whether or not they are in the state.
        finish: Completes the creation as the provider does once the service has accepted it, mainly by waiting; returns
            the status in which the resource cannot be used, as a message for the user, or an empty string.
        discard: Removes a resource that can no longer be used; a resource of such a type is never recorded.
    """

    find: Callable[[Client, Inputs], Iterable[Found]]
    finish: Callable[[Client, Found, Inputs], str] = lambda _client, _found, _inputs: ""
    discard: Callable[[Client, Found, Inputs], None] | None = None


def wait_for_status(status: Callable[[], str], busy: Collection[str], good: Collection[str], minutes: float) -> str:
    """Wait until a resource has been created.

    Args:
        status: Returns the current status.
        busy: Statuses during the creation.
        good: Statuses after a successful creation.
        minutes: Timeout in minutes.

    Returns:
        A message for the user, or an empty string on success.
    """
    deadline = time.monotonic() + minutes * 60
    while (now := status()) in busy:
        if time.monotonic() > deadline:
            return f"it is still in status {now} after {minutes:g} minutes"
        time.sleep(POLL)
    return "" if now in good else f"it is in status {now}"
