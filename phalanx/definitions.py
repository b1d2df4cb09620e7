"""Models of ``applications/<name>/secrets.yaml`` (src/phalanx/models/secrets.py)."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from phalanx.generators import GeneratorType


class _Conditional(BaseModel):
    """Something that counts only if a Helm value of the application is true."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    condition: str | None = Field(default=None, alias="if")
    """Path of the value, its keys joined by dots; without one it always counts."""


class CopyRule(_Conditional):
    """The secret has the value of another application's."""

    application: str
    key: str


class GenerateRule(_Conditional):
    """The secret is generated."""

    type: GeneratorType
    source: str | None = None
    """Key, in the same application, of the secret that this one tells of."""

    @field_validator("type", mode="before")
    @classmethod
    def _known(cls, value: object) -> object:
        if value not in list(GeneratorType):
            raise ValueError(f"unknown generator {value!r}; Phalanx has {', '.join(GeneratorType)}")
        return value

    @model_validator(mode="after")
    def _source_fits(self) -> Self:
        if self.type.needs_source != (self.source is not None):
            raise ValueError(f"{self.type} {'needs' if self.type.needs_source else 'takes no'} source")
        return self


class OnepasswordRule(BaseModel):
    """How the value is kept in 1Password."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoded: bool = False
    """Whether it is encoded in base64 there, as 1Password keeps no line breaks."""


class SecretDefinition(_Conditional):
    """A secret that an application needs, and where its value comes from.

    Without a rule, or when the conditions of all rules are false, it is static: a person gives it.
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
            raise ValueError("a description is needed")
        if copied and generated:
            raise ValueError("copy and generate exclude each other unless one of them has a condition")
        if self.value and (copied or generated):
            raise ValueError("value excludes copy and generate unless they have a condition")
        return self
