"""Wait in a hook or an `apply` until a service's answer is right."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def last_answer(ask: Callable[[], T], right: Callable[[T], bool], *, patience: float, pause: float) -> T:
    """Ask until an answer is right; return it, or the last wrong one.

    Args:
        ask: Asks the service.
        right: Returns whether an answer is right.
        patience: Seconds after which no further question is asked.
        pause: Seconds between two questions.
    """
    deadline = time.monotonic() + patience
    while not right(found := ask()) and time.monotonic() < deadline:
        time.sleep(pause)
    return found
