from collections.abc import Sequence


class PhalanxError(Exception):
    """An error in a Phalanx repository, or in the access to it, that the operator has to fix.

    Attributes:
        problems: One message per problem, without any secret value.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems: Sequence[str] = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


class CheckoutError(PhalanxError):
    """The repository cannot be read, or does not have the revision."""


class RenderError(PhalanxError):
    """Helm is missing or rejects a chart."""


class SecretsError(PhalanxError):
    """The secrets of an environment are inconsistent, missing or not readable."""
