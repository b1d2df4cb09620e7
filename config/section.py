"""Base class of the configuration models, and the types of text and numbers in them.

A stack's file is validated in pydantic's strict mode, so no type accepts a value of another kind: text is not a number,
and a boolean is not a number.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    SecretStr,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema, core_schema

SEALED: Final = "[encrypted in the stack's file]"
"""Value of an encrypted secret where a file is read without its key."""

_INVISIBLE: Final = r"\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd"
"""Control, formatting and replacement characters, as part of a character class of Python and ECMAScript."""

ONE_LINE: Final = rf"[^\s{_INVISIBLE}]([^{_INVISIBLE}]*[^\s{_INVISIBLE}])?"
"""A line of text without leading and trailing spaces."""


@dataclass(frozen=True)
class Matching:
    """Constraint of text by a regular expression, which Python and ECMAScript (in JSON schemas) read alike."""

    pattern: str
    """Expression that all of the text must match."""
    expected: str
    """Description of such a text, as a noun phrase with an example."""
    max_length: int = 255
    """Maximum number of characters."""

    def check(self, text: str) -> str:
        """Return the text.

        Raises:
            ValueError: The text does not match. The message does not quote it.
        """
        if flaw := self._flaw(text):
            raise ValueError(f"{flaw}: must be {self.expected}")
        return text

    def _flaw(self, text: str) -> str | None:
        if not text.strip():
            return "is blank"
        if len(text) > self.max_length:
            return f"has {len(text)} characters, more than {self.max_length}"
        if text != text.strip():
            return "begins or ends with a blank"
        if re.search(f"[{_INVISIBLE}]", text):
            return "contains a line break or an invisible character"
        if not re.fullmatch(self.pattern, text):
            return "is not valid"
        return None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), "pattern": f"^(?:{self.pattern})$", "maxLength": self.max_length}


Name = Annotated[str, Matching(ONE_LINE, "a name of at most 255 characters in one line, such as m1.small")]
"""Name of an existing OpenStack resource, or another line of text; Nova, Neutron, Cinder and Glance allow 255
characters."""

Slug = Annotated[
    str,
    Matching(
        r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?",
        "lower-case letters, digits and hyphens, beginning with a letter and not ending with a hyphen, such as data-1",
        63,
    ),
]
"""Name that is also part of host names and paths: a DNS label that begins with a letter (RFC 1035)."""

SecretName = Annotated[
    str, Matching(r"[A-Za-z0-9._-]+", "letters, digits, hyphens, dots and underscores, such as tls.crt", 253)
]
"""Key in a Secret of Kubernetes."""

ClaimName = Annotated[
    str,
    Matching(
        r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?",
        "the namespace and the name of a PersistentVolumeClaim, such as postgres/postgres-physpvc",
        180,
    ),
]
"""Namespace and name of a PersistentVolumeClaim. The length leaves room for a time in the name of a snapshot."""

VolumeId = Annotated[
    str,
    Matching(
        r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "the ID of a Cinder volume, such as 6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e",
        36,
    ),
]
"""ID of a volume in Cinder."""

PathName = Annotated[
    str,
    Matching(
        r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*",
        "letters, digits, hyphens and underscores between slashes, such as auth/rsp",
    ),
]
"""Path of a mount or an auth method of Vault, without leading and trailing slashes."""

GiB = Annotated[int, Field(ge=1, le=1_000_000)]
"""Size in GiB."""

Nodes = Annotated[int, Field(ge=1, le=5_000)]
"""Number of nodes; Kubernetes supports 5000 (https://kubernetes.io/docs/setup/best-practices/cluster-large/)."""

MAX_TTL: Final = 10 * 365 * 24 * 3600
"""Maximum lifetime of a token in seconds: ten years."""


def _check_secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text.strip():
        raise ValueError("must not be blank: set it with `pulumi config set --secret --path`")
    if "\0" in text:
        raise ValueError("contains a NUL character: must be text")
    return secret


def _check_one_line(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if text != SEALED and not re.fullmatch(ONE_LINE, text):
        raise ValueError("contains a line break or begins or ends with a blank: must be text in one line")
    return secret


class _MayBePlain:
    """Marks a field of type `SecretStr` whose value is not a secret."""


MAY_BE_PLAIN: Final = _MayBePlain()
"""Annotation of a value that is hidden, but needs no encryption in the stack's file."""

Secret = Annotated[SecretStr, Field(min_length=1), AfterValidator(_check_secret)]
"""A secret; Phalanx treats an empty secret as missing."""

SecretLine = Annotated[Secret, AfterValidator(_check_one_line)]
"""A secret in one line, such as a password or a token."""


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
