"""YAML with the types of Pulumi's parser (go.yaml.in/yaml/v3, resolve.go), which differ from PyYAML's.

It knows the booleans of YAML 1.2 only (``yes`` and ``on`` are text), reads 010 and 0o10 as octal numbers, and passes a
date to a program in Go's format. 1.0 is 1, as JSON has one type of number.
"""

import re
from collections.abc import Hashable
from datetime import UTC, datetime
from typing import Any, Final

import yaml

_TAG: Final = "tag:yaml.org,2002:"
_CONSTANTS: Final[dict[str, bool | None]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
}
_INTEGER: Final = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))")
_BASES: Final = (16, 2, 8, 10)
_FLOAT: Final = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_TIME: Final = re.compile(
    r"(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]| )(\d\d?):(\d\d?):(\d\d?)(?:\.(\d{1,9}))?(Z|[-+]\d\d:\d\d)?)?", re.ASCII
)
_LARGEST_INTEGER: Final = 2**64
_LARGEST_WHOLE: Final = 1e21
"""Limit from which Go's JSON has an exponent."""


class Loader(yaml.CSafeLoader):
    """Loader that only creates text, numbers, booleans and None; all keys are text."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: ARG002
        """Construct a mapping with all of its values at once, as their depth has been limited before."""
        self.flatten_mapping(node)
        return {self._key(key): self.construct_object(value, deep=True) for key, value in node.value}

    def _key(self, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise yaml.constructor.ConstructorError(None, None, "found unhashable key", node.start_mark)
        key = self.construct_object(node)
        if key is None:
            return "<nil>"
        return str(key).lower() if isinstance(key, bool) else str(key)


def scalar(text: str) -> str | int | float | bool | None:
    """Return the value of a plain scalar."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[0] not in "+-.0123456789":
        return text
    for value in (_time(text), _number(text.replace("_", ""))):
        if value is not None:
            return value
    return text


def _number(text: str) -> int | float | None:
    if matched := _INTEGER.fullmatch(text):
        sign, *digits = matched.groups()
        base, number = next((base, each) for base, each in zip(_BASES, digits, strict=True) if each)
        # Text of thousands of digits, which Python refuses to convert, is a float.
        value = int(number, base) if len(number) <= 100 else _LARGEST_INTEGER  # noqa: PLR2004
        if value < _LARGEST_INTEGER:
            return -value if sign == "-" else value
    if _FLOAT.fullmatch(text):
        number = float(text)
        if number in (float("inf"), float("-inf")):
            return None
        return int(number) if number.is_integer() and abs(number) < _LARGEST_WHOLE else number
    return None


def _time(text: str) -> str | None:
    """Return a time in the format of Go's ``time.Time.String``; None if the text is none."""
    if not (matched := _TIME.fullmatch(text)):
        return None
    *parts, fraction, zone = matched.groups()
    separated_by_letter = "t" in text.lower()
    if parts[3] and separated_by_letter != bool(zone):
        return None
    try:
        moment = datetime(*(int(part or 0) for part in parts), tzinfo=UTC)  # type: ignore[arg-type,misc]
    except ValueError:
        return None
    seconds = f".{fraction.rstrip('0')}" if fraction and fraction.rstrip("0") else ""
    offset = "+0000 UTC" if zone in (None, "Z", "+00:00") else " ".join([zone.replace(":", "")] * 2)
    return f"{moment:%Y-%m-%d %H:%M:%S}{seconds} {offset}"


def _plain(loader: Loader, node: yaml.ScalarNode) -> Any:
    return scalar(str(loader.construct_scalar(node)))


def _text(loader: Loader, node: yaml.ScalarNode) -> str:
    return str(loader.construct_scalar(node))


def _refuse(_: Loader, node: yaml.Node) -> Any:
    raise yaml.constructor.ConstructorError(None, None, "unsupported tag", node.start_mark)


# A loader's tables belong to its class: without these, additions would change those of all loaders.
Loader.yaml_implicit_resolvers = {"<": [(f"{_TAG}merge", re.compile("<<$"))], None: [("plain", re.compile(""))]}
for _tag in ("plain", *(f"{_TAG}{each}" for each in ("bool", "float", "int", "null", "timestamp"))):
    Loader.add_constructor(_tag, _plain)
Loader.add_constructor(f"{_TAG}str", _text)
for _tag in ("binary", "omap", "pairs", "set", "value"):
    Loader.add_constructor(f"{_TAG}{_tag}", _refuse)
