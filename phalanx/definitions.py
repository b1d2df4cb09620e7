"""Models of ``applications/<name>/secrets.yaml`` (src/phalanx/models/secrets.py)."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from phalanx.documents import kind
from phalanx.generators import GeneratorType

_SHOWN = 40
"""Maximum length of a value that is quoted in a message."""


class _Conditional(BaseModel):
    """A rule that applies only if a Helm value of the application is true."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    condition: str | None = Field(default=None, alias="if")
    """Path of the Helm value, with its keys joined by dots; the rule always applies if it is absent."""


class CopyRule(_Conditional):
    """Copies the value of another application's secret."""

    application: str
    key: str


class GenerateRule(_Conditional):
    """Generates the value."""

    type: GeneratorType
    source: str | None = None
    """Key of the secret in the same application from which the value is derived."""

    @field_validator("type", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value not in list(GeneratorType):
            shown = repr(value) if isinstance(value, str) and len(value) < _SHOWN else kind(value)
            raise ValueError(f"unknown generator {shown}, expected one of {', '.join(GeneratorType)}")
        return value

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.type.needs_source != (self.source is not None):
            raise ValueError(f"{self.type} {'requires a' if self.type.needs_source else 'does not allow a'} source")
        return self


class OnepasswordRule(BaseModel):
    """Storage of the value in 1Password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoded: bool = False
    """True if the value is encoded in base64 in 1Password, which does not preserve line breaks."""


class SecretDefinition(_Conditional):
    """A secret that an application needs, and the source of its value.

    Without a rule whose condition is true it is static: the operator provides the value.
    """

    description: str | None = None
    copy_rule: CopyRule | None = Field(default=None, alias="copy")
    generate: GenerateRule | None = None
    value: str | None = Field(default=None, repr=False)
    onepassword: OnepasswordRule = OnepasswordRule()

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        copied = self.copy_rule is not None and not self.copy_rule.condition
        generated = self.generate is not None and not self.generate.condition
        if not self.description and not copied:
            raise ValueError("description is required")
        if copied and generated:
            raise ValueError("copy and generate are mutually exclusive unless one of them has a condition")
        if self.value and (copied or generated):
            raise ValueError("value cannot be combined with an unconditional copy or generate")
        return self
