"""What a change of a configuration key does to an existing stack, declared with the key.

A key's type carries its `Change` (``Annotated[Name, in_place("resizes the VM")]``); a key without one has that of the
section above it. The JSON schema, the reference tables in docs/ and the tests read it from there.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, get_origin

from pydantic import BaseModel, GetJsonSchemaHandler
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema

from config.annotations import item_type, members, models

SCHEMA_KEY = "x-change"
"""Key of a change in the JSON schema that pydantic makes of a model."""


class Effect(StrEnum):
    """Effect of a change on what exists."""

    IN_PLACE = "in place"
    REPLACES = "replacement"
    REFUSED = "refused"
    RUN = "this run"


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a change of a key does."""

    effect: Effect
    text: str
    """What is updated or replaced, which data and users that affects, or what to do instead."""
    heat: Effect | None = None
    """Effect with ``clusters.NAME.driver: heat``, if it differs."""

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"

    @property
    def label(self) -> str:
        """The effect, for both drivers."""
        return f"{self.effect}; {self.heat} with `clusters.NAME.driver` heat" if self.heat else str(self.effect)

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), SCHEMA_KEY: {"label": self.label, "text": self.text}}


def in_place(text: str, *, heat: Effect | None = None) -> Change:
    """Return the change of a key that takes effect without a replacement.

    Args:
        text: What is created, updated or deleted, in the present tense.
        heat: Effect with Magnum's driver heat, if it differs.
    """
    return Change(effect=Effect.IN_PLACE, text=text, heat=heat)


def replaces(text: str) -> Change:
    """Return the change of a key that replaces something; the text says what, and which data and users are affected."""
    return Change(effect=Effect.REPLACES, text=text)


def refused(text: str) -> Change:
    """Return the change of a key that is refused; the text says what to do instead."""
    return Change(effect=Effect.REFUSED, text=text)


def this_run(text: str) -> Change:
    """Return the change of a key that only affects runs of the program, and no resource."""
    return Change(effect=Effect.RUN, text=text)


@dataclass(frozen=True, kw_only=True)
class Key:
    """A configuration key."""

    path: str
    """Path with ``NAME`` in place of names that the operator chooses, such as ``nfs.volumes.NAME.size``."""
    change: Change | None
    """Its own change, or that of the section above it; None if neither has one."""
    section: bool
    """Whether it always exists and only contains other keys, so that it cannot be changed by itself."""


def keys(model: type[BaseModel]) -> Iterator[Key]:
    """Yield each key of a model and of its nested models; a key that several variants of a section have, only once."""
    yield from {key.path: key for key in _below(model, "", None)}.values()


def _below(annotation: Any, path: str, above: Change | None) -> Iterator[Key]:
    for model in models(annotation):
        for name, field in model.model_fields.items():
            at = f"{path}.{field.alias or name}".lstrip(".")
            change = _declared(field) or above
            below = list(_below(field.annotation, at, change))
            section = bool(below) and len([*models(field.annotation)]) == len(members(field.annotation))
            yield Key(path=at, change=change, section=section)
            yield from below
    if (item := item_type(annotation)) is not None:
        mapping = any(get_origin(each) is dict for each in members(annotation))
        yield from _below(item, f"{path}.NAME" if mapping else path, above)


def _declared(field: FieldInfo) -> Change | None:
    return next((each for each in field.metadata if isinstance(each, Change)), None)


def sentence(description: str, change: str) -> str:
    """Return a key's description followed by its change, for editors."""
    return f"{re.sub(r'[.]$', '', description)}. Change: {change}".removeprefix(". ")
