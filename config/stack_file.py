from collections.abc import Iterator
from typing import ClassVar, Self

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.section import Section

KeyPath = tuple[str, ...]
"""Keys from the root to a value, as written in YAML."""


class StackFile(Section):
    """Root of a project's configuration, and the rules between its sections."""

    project: ClassVar[str]
    """Name of the Pulumi project, which is the namespace of the keys."""

    def conflicts(self) -> Iterator[tuple[KeyPath, str]]:
        """Yield conflicts between sections that are valid by themselves: the key to change, and the reason."""
        raise NotImplementedError

    @model_validator(mode="after")
    def _consistent_sections(self) -> Self:
        details: list[InitErrorDetails] = [
            {"type": PydanticCustomError("conflict", "{reason}", {"reason": reason}), "loc": path, "input": None}
            for path, reason in self.conflicts()
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details, hide_input=True)
        return self
