from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol

import pulumi

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from phalanx.manifests import ManifestError
from wiring.facts import FactError


class Problem(Protocol):
    """Something that a person has to mend, or at least to know; its text says what and how."""

    @property
    def fatal(self) -> bool:
        """Whether nothing may be made before it is mended."""


def raise_if_fatal(problems: Iterable[Problem]) -> None:
    """Let a person mend what is wrong before anything is made, and know of what may go wrong.

    Raises:
        pulumi.RunError: With all that would stop the deployment.
    """
    problems = list(problems)
    for problem in problems:
        if not problem.fatal:
            pulumi.warn(str(problem))
    if fatal := [str(problem) for problem in problems if problem.fatal]:
        raise pulumi.RunError("\n".join(fatal))


@contextmanager
def user_errors() -> Iterator[None]:
    """Let Pulumi print what a person has to mend as it is, without a traceback.

    Raises:
        pulumi.RunError: With the message of an error that somebody can mend; any other error passes through.
    """
    try:
        yield
    except (ConfigError, FactError, ManifestError, PhalanxError) as error:
        raise pulumi.RunError(str(error)) from None
