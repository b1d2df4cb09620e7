"""Base class and common types of the configuration models."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(min_length=1, max_length=255)]
"""Name of an OpenStack resource."""

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""Name that is also part of host names and paths: lower-case letters, digits and hyphens."""

GiB = Annotated[int, Field(ge=1, le=1_000_000)]
"""Size in GiB."""


class Section(BaseModel):
    """A mapping in the configuration: immutable, with camelCase keys in YAML, and without unknown keys."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        # The input may be a secret.
        hide_input_in_errors=True,
    )


def first_overlap(one: IPv4Network, others: dict[str, IPv4Network]) -> str | None:
    """Return the key of the first network in ``others`` that overlaps ``one``, or None."""
    return next((key for key, other in others.items() if one.overlaps(other)), None)
