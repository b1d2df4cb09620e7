import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self

from pydantic import ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from config.section import Section

KeyPath = tuple[str, ...]
"""Keys from the root to a value, as written in YAML."""

Rule = Callable[..., Iterator[tuple[KeyPath, str]]]
"""A rule between sections: a function of sections, which are named like its parameters. It yields conflicts: the key to
change, and the reason."""


class StackFile(Section):
    """Root of a project's configuration, and the rules between its sections."""

    project: ClassVar[str]
    """Name of the Pulumi project, which is the namespace of the keys."""

    rules: ClassVar[Sequence[Rule]]
    """Rules between sections."""

    @classmethod
    def conflicts(cls, sections: Mapping[str, Any]) -> Iterator[tuple[KeyPath, str]]:
        """Yield conflicts between sections that are valid by themselves.

        Args:
            sections: Valid sections by field. A rule is skipped if it needs a section that is missing.
        """
        for rule in cls.rules:
            needed = inspect.signature(rule).parameters
            if needed.keys() <= sections.keys():
                yield from rule(**{name: sections[name] for name in needed})

    @model_validator(mode="after")
    def _consistent_sections(self) -> Self:
        details: list[InitErrorDetails] = [
            {"type": PydanticCustomError("conflict", "{reason}", {"reason": reason}), "loc": path, "input": None}
            for path, reason in self.conflicts(dict(self))
        ]
        if details:
            raise ValidationError.from_exception_data(type(self).__name__, details, hide_input=True)
        return self
