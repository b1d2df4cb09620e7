from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import pulumi

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from probes.problem import Problem


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
