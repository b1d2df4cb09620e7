"""Poll a service, in a hook or an `apply`, until its answer is as expected."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def last_answer(ask: Callable[[], T], right: Callable[[T], bool], *, patience: float, pause: float) -> T:
    """Repeat a query until its answer is as expected; return that answer, or the last one once the time is over.

    Args:
        ask: Sends the query.
        right: Returns whether an answer is as expected.
        patience: Seconds after which the query is not repeated.
        pause: Seconds between two queries.
    """
    deadline = time.monotonic() + patience
    while not right(found := ask()) and time.monotonic() < deadline:
        time.sleep(pause)
    return found
