"""Secret values to search for, in all encodings."""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import quote

PIECE = 16
"""Number of characters to search for, so that truncated values are found."""

SHORTEST = 12
"""Minimum length: shorter values may occur by chance. No generator and no test creates shorter ones."""

_PEM_LINE = re.compile(r"^[A-Za-z0-9+/=]{40,}$", re.MULTILINE)


@dataclass(frozen=True)
class Mark:
    """A secret value."""

    name: str
    """Description, for the message of a failed test."""
    value: str = field(repr=False)

    @cached_property
    def forms(self) -> frozenset[bytes]:
        """Byte strings to search for: pieces of the value in all encodings."""
        return frozenset(form for piece in _pieces(self.value) for form in _encodings(piece))


@dataclass(frozen=True)
class Evidence:
    """Content that others may be able to read."""

    where: str
    content: bytes = field(repr=False)


PRIVATE_KEY = Mark("a private key", "PRIVATE KEY-----")
"""Any private key, including the kubeconfig's."""


def of_vault(secrets: Mapping[str, Mapping[str, str]]) -> Iterator[Mark]:
    """Yield a mark for each value of the KV secrets that is long enough to be unique, by application and key."""
    for application, keys in secrets.items():
        for key, value in keys.items():
            yield from of_value(f"{application}/{key}", value)


def of_value(name: str, value: str) -> Iterator[Mark]:
    """Yield a mark for a value, or, if it is JSON, for each string in it that is long enough."""
    try:
        document = json.loads(value)
    except ValueError:
        document = value
    for text in _texts(document):
        if len(text) >= SHORTEST:
            yield Mark(name, text)


def found(evidence: Iterable[Evidence], marks: Iterable[Mark]) -> list[tuple[str, str]]:
    """Return the marks' names with the places where they were found, without the values.

    Raises:
        AssertionError: There is no content to search, or there are no marks.
    """
    needles = {form: mark.name for mark in marks for form in mark.forms}
    searched = list(evidence)
    assert needles, "no marks: the search proves nothing"
    assert any(each.content for each in searched), "nothing was searched: the search proves nothing"
    return sorted(
        {(name, each.where) for each in searched for needle, name in needles.items() if needle in each.content}
    )


def _pieces(value: str) -> Iterator[str]:
    if "-----BEGIN" in value:
        # The first line of the body is the same for all keys of a kind.
        lines: list[str] = _PEM_LINE.findall(value)
        yield from (line[:PIECE] for line in lines[1:3])
    else:
        yield value[:PIECE]
        yield value[-PIECE:]


def _encodings(piece: str) -> Iterator[bytes]:
    raw = piece.encode()
    yield raw
    yield quote(piece, safe="").encode()
    yield json.dumps(piece)[1:-1].encode()
    yield raw.hex().encode()
    yield raw.hex().upper().encode()
    # In a larger text, the base64 encoding depends on the offset; characters that depend on neighbours are cut off.
    for before in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(b"\0" * before + raw)
            first = (before * 8 + 5) // 6
            last = (before + len(raw)) * 8 // 6
            yield encoded[first:last]


def _texts(document: object) -> Iterator[str]:
    match document:
        case str():
            yield document
        case Mapping():
            for each in document.values():
                yield from _texts(each)
        case list():
            for each in document:
                yield from _texts(each)
