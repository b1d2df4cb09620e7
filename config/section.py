"""What every part of the configuration has in common."""

from ipaddress import IPv4Network
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

Name = Annotated[str, Field(min_length=1, max_length=255)]
"""A name in OpenStack, as a person gave it."""

Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,62}$")]
"""A name that also serves as a part of host names and paths: lower-case letters, digits and hyphens."""

GiB = Annotated[int, Field(ge=1, le=1_000_000)]
"""A size in GiB."""


class Section(BaseModel):
    """One section: immutable, camelCase in YAML, and no key that the model does not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        # pydantic would quote the rejected input: it may be a secret.
        hide_input_in_errors=True,
    )


def first_overlap(one: IPv4Network, others: dict[str, IPv4Network]) -> str | None:
    """The key of the first network in ``others`` that shares an address with ``one``."""
    return next((key for key, other in others.items() if one.overlaps(other)), None)
