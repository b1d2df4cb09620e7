from collections.abc import Sequence


class PhalanxError(Exception):
    """Something in a Phalanx repository, or on the way to it, that a person has to mend.

    Attributes:
        problems: One sentence each; a secret's value is never part of one.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems: Sequence[str] = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class CheckoutError(PhalanxError):
    """The repository cannot be reached, or does not have the revision."""


class RenderError(PhalanxError):
    """Helm is missing or refuses a chart."""


class SecretsError(PhalanxError):
    """The secret definitions of an environment contradict each other."""
