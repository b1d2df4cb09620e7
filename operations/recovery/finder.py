"""How what an interrupted creation has made is found again in its service."""

import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from operations.recovery.document import Inputs

Client = TypeVar("Client")

POLL = 2.0
"""Seconds between two looks at something that is being made."""


class AmbiguousError(Exception):
    """It cannot be known whether what is there is the one; the message says why and the way out."""


@dataclass(frozen=True)
class Found:
    """Something that looks just like what the creation would have made.

    Attributes:
        id: Its id as Pulumi's provider writes it.
        outputs: What its reading does not bring back, beside the inputs: the provider's own notes in the state.
    """

    id: str
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finder(Generic[Client]):
    """How one resource type is found.

    Attributes:
        find: All that look like what the inputs describe, whoever knows them; at most one where the service allows
            one only.
        finish: Does what the provider does after the service has accepted the creation, above all waits; returns what
            a person must know of the result, or nothing.
        discard: Removes what is worth nothing to anybody now; what has such a function is never recorded.
    """

    find: Callable[[Client, Inputs], Iterable[Found]]
    finish: Callable[[Client, Found, Inputs], str] = lambda _client, _found, _inputs: ""
    discard: Callable[[Client, Found, Inputs], None] | None = None


def settle(status: Callable[[], str], busy: Collection[str], good: Collection[str], minutes: float) -> str:
    """Wait while something is being made.

    Args:
        status: Asks its service for its status.
        busy: The statuses in which it is being made.
        good: Those in which it is as it should be.
        minutes: How long to wait.

    Returns:
        Nothing if all is well, else what a person must know.
    """
    deadline = time.monotonic() + minutes * 60
    while (now := status()) in busy:
        if time.monotonic() > deadline:
            return f"it is still in status {now} after {minutes:g} minutes"
        time.sleep(POLL)
    return "" if now in good else f"it is in status {now}; `pulumi up --replace URN` makes it anew"
