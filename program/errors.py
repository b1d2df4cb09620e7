import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import pulumi

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from probes.problem import Problem

P = ParamSpec("P")
T = TypeVar("T")


def raise_if_fatal(problems: Iterable[Problem]) -> None:
    """Log warnings, and refuse to continue if a problem is fatal.

    Raises:
        pulumi.RunError: At least one problem is fatal; the message has all of them.
    """
    problems = list(problems)
    for problem in problems:
        if not problem.fatal:
            pulumi.warn(str(problem))
    if fatal := [str(problem) for problem in problems if problem.fatal]:
        raise pulumi.RunError("\n".join(fatal))


def reported(function: Callable[P, T]) -> Callable[P, T]:
    """Return a function that an `apply` calls, with errors of the user as in `user_errors`."""

    @functools.wraps(function)
    def report(*args: P.args, **kwargs: P.kwargs) -> T:
        with user_errors():
            return function(*args, **kwargs)

    return report


@contextmanager
def user_errors() -> Iterator[None]:
    """Convert errors of the user to messages without a traceback.

    Raises:
        pulumi.RunError: An error of the user occurred; other exceptions are not caught.
    """
    try:
        yield
    except (ConfigError, PhalanxError) as error:
        raise pulumi.RunError(str(error)) from None
