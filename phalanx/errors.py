import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_LOGIN = re.compile(r"(?<=://)[^/\s@]*:[^/\s@]*(?=@)|(?<=http://)[^/\s@]+(?=@)|(?<=https://)[^/\s@]+(?=@)")
"""Password or token in a URL; the user name of ssh is none."""


class PhalanxError(Exception):
    """An error in a Phalanx repository, or in the access to it, that the operator has to fix.

    Attributes:
        problems: One message per problem, without any secret value. Passwords in URLs are removed, as the output of
            another program, or a name in a file, may contain one.
    """

    def __init__(self, *problems: str) -> None:
        self.problems: Sequence[str] = tuple(_LOGIN.sub("[removed]", problem) for problem in problems)
        super().__init__(*self.problems)

    def __str__(self) -> str:
        return "\n".join(self.problems)


class CheckoutError(PhalanxError):
    """The repository cannot be read, or does not have the revision."""


class RenderError(PhalanxError):
    """Helm is missing or rejects a chart."""


class SecretsError(PhalanxError):
    """The secrets of an environment are inconsistent, missing or not readable."""


class Problems:
    """The problems of several steps, to be reported together."""

    def __init__(self) -> None:
        self.found: list[str] = []

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Keep the problems of a step instead of raising them."""
        try:
            yield
        except PhalanxError as error:
            self.found.extend(error.problems)

    def report(self, error: type[PhalanxError] = PhalanxError) -> None:
        """Raise an error with all problems that were found, if any."""
        if self.found:
            raise error(*self.found)
