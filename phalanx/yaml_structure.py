"""Limits of a YAML document, checked on its events before any value is constructed.

A document of a few lines can nest so deep that a parser exhausts its stack, and its aliases can expand to more values
than memory holds.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import yaml

from phalanx.errors import PhalanxError

MAX_DEPTH: Final = 64
"""Maximum nesting of mappings and lists; Phalanx's own files have at most 16 levels."""

MAX_VALUES: Final = 50_000
"""Maximum number of scalars, mappings and lists once aliases are expanded; Phalanx's own files have 6 thousand."""

_MERGE_KEY = "<<"
_PLAIN_KEY = re.compile(r"[\w./-]{1,64}")
"""Keys that messages may quote: others may be a value that was put in the wrong place."""


class _Size(NamedTuple):
    values: int = 1
    """Number of values in a value, itself included, with aliases expanded."""
    depth: int = 0
    """Levels of nesting in it; 0 for a scalar."""


_SCALAR: Final = _Size()


@dataclass
class _Collection:
    """A mapping or list that is being read."""

    anchor: str | None = None
    is_mapping: bool = False
    name: str = ""
    """Key or position in the collection that contains it."""
    key: str = ""
    """Last key of a mapping."""
    values: int = 1
    depth: int = 1
    entries: int = 0
    """Number of values read so far; keys and values of a mapping count alike."""
    keys: dict[str, int] = field(default_factory=dict)
    """Line of each key."""

    def add(self, size: _Size) -> None:
        self.values += size.values
        self.depth = max(self.depth, size.depth + 1)
        self.entries += 1

    @property
    def expects_key(self) -> bool:
        return self.is_mapping and self.entries % 2 == 0

    @property
    def next_name(self) -> str:
        return self.key if self.is_mapping else str(self.entries)


def last_key(keys: Sequence[str]) -> str:
    """Return a name of the last key, without its value if it may be secret."""
    return f"key {keys[-1]}" if _PLAIN_KEY.fullmatch(keys[-1]) else "key"


class _Document:
    """The collections that are open at a point of a document."""

    def __init__(self, where: str, name: Callable[[Sequence[str]], str]) -> None:
        self._where, self._name = where, name
        self._open = [_Collection()]
        self._anchors: dict[str | None, _Size | None] = {}
        self.repeated: list[str] = []

    def read(self, event: yaml.Event) -> None:
        """Take the next event into account."""
        match event:
            case yaml.ScalarEvent():  # first, as most events are scalars
                self._check_key(event)
                self._add(event.anchor, _SCALAR)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._anchors[event.anchor] = None
                is_mapping = isinstance(event, yaml.MappingStartEvent)
                self._open.append(_Collection(event.anchor, is_mapping, self._open[-1].next_name))
            case yaml.CollectionEndEvent():
                ended = self._open.pop()
                self._add(ended.anchor, _Size(ended.values, ended.depth))
            case yaml.AliasEvent():
                # Without an anchor of that name it is an error that the parser reports.
                size = self._anchors.get(event.anchor, _SCALAR)
                if size is None:
                    raise PhalanxError(
                        f"{self._place(event)}: an alias refers to the value that contains it: remove it"
                    )
                self._open[-1].add(size)
        self._check_limits(event)

    def _place(self, event: yaml.Event) -> str:
        return f"{self._where}:{_line(event)}"

    def _add(self, anchor: str | None, size: _Size) -> None:
        if anchor:
            self._anchors[anchor] = size
        self._open[-1].add(size)

    def _check_key(self, event: yaml.ScalarEvent) -> None:
        top, key = self._open[-1], event.value
        # Helm, too, merges all that follow several merge keys.
        if not top.expects_key or key == _MERGE_KEY:
            return
        if key in top.keys:
            # The first is the document, which contains the root.
            named = self._name([*(each.name for each in self._open[2:]), key])
            line = top.keys[key]
            self.repeated.append(f"{self._place(event)}: repeats the {named} of line {line}: remove one of them")
        else:
            top.keys[key] = _line(event)
        top.key = key

    def _check_limits(self, event: yaml.Event) -> None:
        top = self._open[-1]
        if len(self._open) + top.depth - 2 > MAX_DEPTH:
            raise PhalanxError(f"{self._place(event)}: is nested too deep: expected at most {MAX_DEPTH} levels")
        if top.values > MAX_VALUES:
            raise PhalanxError(
                f"{self._place(event)}: has too many values: expected at most {MAX_VALUES}, with aliases expanded"
            )


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 0


def check_structure(events: Iterable[yaml.Event], where: str, name: Callable[[Sequence[str]], str] = last_key) -> None:
    """Check a document's nesting, aliases and keys.

    Args:
        events: Events of the document, from `yaml.parse`.
        where: Name of the file, for error messages.
        name: Returns a name of a key from all keys that lead to it, for error messages.

    Raises:
        PhalanxError: A limit is exceeded, an alias is recursive, or keys are repeated; all repeated keys together. The
            message never quotes a value.
        yaml.YAMLError: The text is not YAML.
    """
    document = _Document(where, name)
    for event in events:
        document.read(event)
    if document.repeated:
        raise PhalanxError(*document.repeated)
