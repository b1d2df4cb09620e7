"""Property values inside the engine, and their form on the wire between the SDK and the engine.

Inside, a value is plain JSON (str, int, float, bool, None, list, dict) in which three other kinds may stand anywhere:
`Secret` around a value, `UNKNOWN` in place of what a preview cannot know, and `Asset` for a file or text. The wire
form is that of Pulumi's resource protocol: signature keys inside protobuf Structs
(https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go).
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from google.protobuf import json_format, struct_pb2

from sandbox.engine.errors import EngineError

SIGNATURE: Final = "4dabf18193072939515e22adb298388d"
SEALED_SIGNATURE: Final = "1b47061264138c4ac30d75fd1eb44270"
ASSET_SIGNATURE: Final = "c44067f5952c0a294b673a41bacd8c17"
_UNKNOWN_ON_WIRE: Final = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

Properties = dict[str, Any]
"""The properties of a resource by their wire names (camelCase)."""


@dataclass(frozen=True)
class Secret:
    """A value that is never shown and never written in clear."""

    value: Any

    def __repr__(self) -> str:
        return "[secret]"


class Unknown:
    """What a preview cannot know."""

    def __repr__(self) -> str:
        return "[unknown]"


UNKNOWN: Final = Unknown()


@dataclass(frozen=True)
class Asset:
    """A file, or a text in place of one; equal when the content is."""

    sha256: str
    path: str | None = None
    text: str | None = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Asset) and other.sha256 == self.sha256

    def __hash__(self) -> int:
        return hash(self.sha256)

    def __repr__(self) -> str:
        return f"[asset {self.path or 'text'} {self.sha256[:12]}]"

    def read(self) -> str:
        """The content.

        Raises:
            EngineError: The file is gone.
        """
        if self.text is not None:
            return self.text
        try:
            return Path(self.path or "").read_text()
        except OSError as error:
            raise EngineError(f"cannot read the asset {self.path}: {error.strerror}") from error


def from_wire(struct: struct_pb2.Struct) -> Properties:
    """The properties of a request of the SDK.

    Raises:
        EngineError: It holds an archive, a remote asset or something else that the engine does not know.
    """
    decoded: Properties = _decode(json_format.MessageToDict(struct))
    return {key: value for key, value in decoded.items() if value is not None}


def from_wire_value(value: struct_pb2.Value) -> Any:
    """A single value of a request; None where it is unset."""
    return _decode(json_format.MessageToDict(value)) if value.WhichOneof("kind") else None


def to_wire(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """The properties of an answer to the SDK."""
    return json_format.ParseDict({key: _encode(value) for key, value in properties.items()}, struct_pb2.Struct())


def _decode(value: Any) -> Any:
    match value:
        case dict() if SIGNATURE in value:
            return _decode_signed(value)
        case dict():
            return {key: _decode(value[key]) for key in sorted(value)}  # a protobuf map has no order
        case list():
            return [_decode(each) for each in value]
        case float() if value.is_integer():  # the wire has no integers
            return int(value)
        case str() if value == _UNKNOWN_ON_WIRE:
            return UNKNOWN
        case _:
            return value


def _decode_signed(value: dict[str, Any]) -> Any:
    match value[SIGNATURE]:
        case signature if signature == SEALED_SIGNATURE:
            return Secret(reveal(_decode(value["value"])))
        case signature if signature == ASSET_SIGNATURE and value.get("path"):
            try:
                content = Path(value["path"]).read_bytes()
            except OSError as error:
                raise EngineError(f"cannot read the asset {value['path']}: {error.strerror}") from error
            return Asset(sha256=hashlib.sha256(content).hexdigest(), path=value["path"])
        case signature if signature == ASSET_SIGNATURE and "text" in value:
            return Asset(sha256=hashlib.sha256(value["text"].encode()).hexdigest(), text=value["text"])
    raise EngineError("the sandbox's engine takes file and text assets only: no archive, no remote asset")


def _encode(value: Any) -> Any:
    match value:
        case Secret():
            return {SIGNATURE: SEALED_SIGNATURE, "value": _encode(value.value)}
        case Unknown():
            return _UNKNOWN_ON_WIRE
        case Asset():
            content = {"path": value.path} if value.path else {"text": value.text}
            return {SIGNATURE: ASSET_SIGNATURE, **content}
        case Mapping():
            return {key: _encode(each) for key, each in value.items()}
        case list() | tuple():
            return [_encode(each) for each in value]
        case _:
            return value


def transform(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """A copy of `value` in which `leaf` has replaced whatever is neither a dict nor a list."""
    match value:
        case Mapping():
            return {key: transform(each, leaf) for key, each in value.items()}
        case list() | tuple():
            return [transform(each, leaf) for each in value]
        case _:
            return leaf(value)


def reveal(value: Any) -> Any:
    """A copy in which each secret has given way to its value."""
    return transform(value, lambda leaf: reveal(leaf.value) if isinstance(leaf, Secret) else leaf)


def mask(value: Any) -> Any:
    """A copy that can be shown: `[secret]` and `[unknown]` as text."""
    return transform(value, lambda leaf: repr(leaf) if isinstance(leaf, Secret | Unknown | Asset) else leaf)


def leaves(value: Any) -> Iterator[Any]:
    """Whatever in `value` is neither a dict nor a list; a secret counts as one leaf."""
    match value:
        case Mapping():
            for each in value.values():
                yield from leaves(each)
        case list() | tuple():
            for each in value:
                yield from leaves(each)
        case _:
            yield value


def has_secret(value: Any) -> bool:
    """Whether a secret stands anywhere in it."""
    return any(isinstance(leaf, Secret) for leaf in leaves(value))


def has_unknown(value: Any) -> bool:
    """Whether a preview's unknown stands anywhere in it, inside of secrets, too."""
    return any(isinstance(leaf, Unknown) for leaf in leaves(reveal(value)))
