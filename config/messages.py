"""Messages about invalid configuration: key path, reason, value, and what is expected, with an example."""

import difflib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, get_args

import yaml
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from config.annotations import item_type, members, models
from config.stack_file import StackFile
from phalanx.documents import EXPECTATIONS

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_MAX_QUOTED: Final = 80
"""Maximum number of characters of a value or a key in a message."""
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")
_KEY: Final = "[key]"
"""Last part of pydantic's location of a mapping's key."""


@dataclass
class Place:
    """A position in the configuration."""

    keys: list[int | str] = field(default_factory=list)
    """Keys from the root, as written in YAML; list positions are numbers."""
    field: FieldInfo | None = None
    """Field of the last key, if it is one."""
    container: FieldInfo | None = None
    """Field of the mapping or list that contains the value, if the last key is not a field."""
    annotation: Any = None
    """Type of the value; None if it is not known."""
    neighbors: Sequence[str] = ()
    """Known keys beside the last one."""
    near_secrets: bool = False
    """Whether values beside this one are secrets."""


def locate(location: Sequence[int | str], root: type[StackFile]) -> Place:
    """Follow a pydantic location, or the keys in a file, through the models.

    Args:
        location: Keys from the root. Tags, which pydantic adds for the members of a union, are left out.
        root: Model of the file.
    """
    place = Place(annotation=root)
    for part in location:
        if part == _KEY:
            continue
        here = list(models(place.annotation))
        fields = {each.alias or name: each for model in here for name, each in model.model_fields.items()}
        if part not in fields and (tagged := [model for model in here if part in get_args(_discriminator(model))]):
            place.annotation = tagged[0]
            continue
        place.near_secrets = any(_is_secret(each.annotation) for each in fields.values())
        place.keys.append(part)
        place.neighbors = list(fields)
        place.container = place.field or place.container
        place.field = fields.get(str(part))
        place.annotation = place.field.annotation if place.field else item_type(place.annotation)
    return place


def is_secret(place: Place, marker: object) -> bool:
    """Return whether a value must be encrypted in a stack's file.

    Args:
        place: Position of the value.
        marker: Annotation of hidden values that need not be encrypted.
    """
    return SecretStr in members(place.annotation) and not (place.field and marker in place.field.metadata)


def flow(value: Any) -> str:
    """Return a value in one line of YAML."""
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=sys.maxsize)
    return text.removesuffix("...\n").strip()


def text_key(key: str) -> str:
    """Return a key for a message."""
    return _printable(key)


def path(keys: Sequence[int | str], project: str) -> str:
    """Return a key path in the syntax of ``pulumi config set --path``, such as ``rsp:network.dnsNameservers[0]``."""
    text = ""
    for key in keys:
        if isinstance(key, int):
            text += f"[{key}]"
        else:
            text += f".{key}" if _PLAIN_KEY.fullmatch(key) and len(key) <= _MAX_QUOTED else f'["{_printable(key)}"]'
    return f"{project}:{text.removeprefix('.')}"


def message(detail: "ErrorDetails", root: type[StackFile]) -> str:
    """Return the message about a problem, in one line."""
    place = locate(detail["loc"], root)
    where = path(place.keys, root.project)
    match detail["type"]:
        case "missing":
            return f"{where} is missing.{_expected(place)}"
        case "extra_forbidden":
            return f"{where} is not a known key; {nearest(str(place.keys[-1]), place.neighbors)}"
        case "conflict":
            return f"{where}: {detail['msg']}"
        case "union_tag_not_found" | "union_tag_invalid":
            kinds = ", ".join(kind for model in models(place.annotation) for kind in get_args(_discriminator(model)))
            return f"{where}.kind must be one of {kinds}.{_expected(place)}"
    words = _words(detail)
    if detail["loc"][-1:] == (_KEY,):
        return f"{where}: this key {words}"
    quoted = "" if ", got " in words else _quoted(detail["input"], place)
    return f"{where}: {words}{quoted and f' (got {quoted})'}.{_expected(place)}"


def nearest(name: str, known: Sequence[str], prefix: str = "") -> str:
    """Return the known name that is most similar to another one, or all known names, after a prefix."""
    near = difflib.get_close_matches(name, known, n=1)
    return (
        f"did you mean `{prefix}{near[0]}`?" if near else f"known here: {', '.join(prefix + e for e in sorted(known))}"
    )


_WORDS: Final = {
    **EXPECTATIONS,
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number, without quotes",
    "model_attributes_type": "must be a mapping (`key: value`)",
    "path_type": "must be text: put it in quotes",
    "tuple_type": "must be a list (`[value, ...]`)",
}
"""Requirements by pydantic's type of error."""


_BOUNDS: Final = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "too_long": "must have at most {max_length} entries",
}
"""Requirements by pydantic's type of error, with its parameters."""


def _words(detail: "ErrorDetails") -> str:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in _WORDS:
        return _WORDS[kind]
    if kind in _BOUNDS:
        return _BOUNDS[kind].format(**context)
    if kind in ("string_too_short", "too_short"):
        minimum = context["min_length"]
        return "must not be empty" if minimum == 1 else f"must have at least {minimum} characters"
    if kind in ("literal_error", "enum"):
        return f"must be one of {context['expected'].replace(' or ', ', ').replace(chr(39), '')}"
    return detail["msg"].removeprefix("Value error, ").rstrip(".")


def _expected(place: Place) -> str:
    known = place.field or place.container
    if known is None or not known.description:
        return ""
    example = _example(known)
    return f" Expected: {known.description.rstrip('.')}{f', for example {example}' if example else ''}."


def _example(known: FieldInfo) -> str:
    """Return an example of a field's value in YAML; empty if it is obvious."""
    if known.examples:
        return flow(known.examples[0])
    if isinstance(known.default, int | str):
        return flow(str(known.default) if isinstance(known.default, str) else known.default)
    if SecretStr in members(known.annotation):
        return "{secure: ...}"
    for member in members(known.annotation):
        if get_args(member) and not isinstance(member, type):
            return str(get_args(member)[0])
        if isinstance(member, type) and issubclass(member, BaseModel):
            required = {each.alias: _example(each) for each in member.model_fields.values() if each.is_required()}
            return f"{{{', '.join(f'{key}: {value}' for key, value in required.items())}}}" if required else ""
    return ""


def _quoted(value: Any, place: Place) -> str:
    """Return a value for a message; empty if it may be secret, or if the reason already shows it."""
    if isinstance(value, dict | list) or _holds_secrets(place.annotation):
        return ""
    text = json.dumps(value, ensure_ascii=False)
    if place.near_secrets and not re.fullmatch(r'[0-9./"]+|true|false|null', text):
        return ""
    if isinstance(value, str) and re.search(r"//[^/]*@|:[^/\s]+@|[?]|-----BEGIN", value):
        return ""
    return _printable(text)


def _printable(text: str) -> str:
    shown = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[:_MAX_QUOTED])
    return shown if len(text) <= _MAX_QUOTED else f"{shown}…"


def _discriminator(model: type[BaseModel]) -> Any:
    """Return the type of the field that distinguishes a union's members; None if the model has none."""
    return model.model_fields["kind"].annotation if "kind" in model.model_fields else None


def _is_secret(annotation: Any) -> bool:
    """Return whether a type is a secret, or a mapping or list of secrets."""
    return SecretStr in members(annotation) or (
        (item := item_type(annotation)) is not None and item is not annotation and _is_secret(item)
    )


def _holds_secrets(annotation: Any) -> bool:
    """Return whether a value of a type may contain a secret, at any depth."""
    if _is_secret(annotation):
        return True
    item = item_type(annotation)
    return any(
        _holds_secrets(each.annotation)
        for model in models(item if item is not None else annotation)
        for each in model.model_fields.values()
    )
