"""GitHub-flavored Markdown with text from outside, cut to a size between rows and lines.

Names and messages come from clouds, charts and pull requests. They are shown only as code, in which neither Markdown
nor HTML, mentions or links have a meaning. The rules are those of https://github.github.com/gfm/, which GitLab follows.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

GITHUB_LIMIT: Final = 65_536
"""Size of a comment, of an issue and of a pull request's description in characters."""

_CELL_LIMIT: Final = 300
_LINE_LIMIT: Final = 1000
_ACTIVE: Final = re.compile(r"[&<>\\`*_\[\]{}#~|@$!]|:(?=//)|(?<=www)\.", re.IGNORECASE)
"""Characters with a meaning in HTML or Markdown, or in the links and mentions of GitHub and GitLab."""
_INVISIBLE: Final = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff]"
)
"""Control characters except for tab and newline, invisible ones, and those that reverse the direction of text."""


class Block(Protocol):
    """A part of a document that can be cut."""

    def render(self, room: int) -> str:
        """Return the block as Markdown of at most `room` characters; empty if not even its beginning fits."""
        ...


@dataclass(frozen=True)
class Text:
    """Markdown that is left out if it does not fit."""

    markdown: str

    def render(self, room: int) -> str:
        """Return the text, or an empty string."""
        return self.markdown if size(self.markdown) <= room else ""


@dataclass(frozen=True)
class Table:
    """A table with a title."""

    title: str
    """Markdown above the table."""
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    """Cells as Markdown, with text from outside made by `code`."""
    end: str = ""
    """Markdown below the table."""

    def render(self, room: int) -> str:
        """Return the table with as many rows as fit."""
        head = f"{self.title}\n\n{_row(self.columns)}\n{_row(['---'] * len(self.columns))}"
        return _cut(head, [_row(row) for row in self.rows], ("", self.end), "rows", room)


@dataclass(frozen=True)
class Fence:
    """Lines of text from outside, in a fenced code block."""

    title: str
    """Markdown above the block."""
    text: str
    language: str = ""
    """Language for the highlighting, such as ``diff``."""
    end: str = ""
    """Markdown below the block."""
    limit: int = GITHUB_LIMIT
    """Greatest size of the block in characters."""

    def render(self, room: int) -> str:
        """Return the block with as many lines as fit, and the beginnings of very long lines."""
        lines = [_shortened(line, _LINE_LIMIT) for line in visible(self.text).strip("\n").split("\n")]
        marks = "`" * max(3, 1 + max((len(run) for line in lines for run in re.findall("`+", line)), default=0))
        head = f"{self.title}\n\n{marks}{self.language}"
        return _cut(head, lines, (f"\n{marks}", self.end), "lines", min(room, self.limit))


def document(blocks: Sequence[Block], limit: int = GITHUB_LIMIT) -> str:
    """Join blocks to a document.

    Args:
        blocks: The most important ones first: what does not fit is left out at the end, with a note.
        limit: Greatest size in characters.

    Returns:
        Markdown that ends with a newline.
    """
    note = "\n\n*The rest is left out, as a comment has at most {limit} characters: see the log of the job.*"
    note = note.format(limit=limit)
    text = ""
    for block in blocks:
        separator = "\n\n" if text else ""
        part = block.render(limit - size(text) - size(separator) - size(note) - 1)
        if not part:
            return f"{text}{note}\n"
        text += separator + part
    return f"{text}\n"


def size(text: str) -> int:
    """Return the size of a text as JavaScript counts it, in units of UTF-16: never less than other ways to count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def code(text: str) -> str:
    """Return a text from outside as code for a line or a table's cell, shortened if it is long."""
    line = " ".join(visible(text).split())
    if not line:
        return ""
    line = _shortened(line, _CELL_LIMIT)
    # A code span could not contain a vertical bar in a table. Numeric references are never taken for Markdown.
    return f"<code>{_ACTIVE.sub(lambda found: f'&#{ord(found[0])};', line)}</code>"


def visible(text: str) -> str:
    """Return a text with escape sequences for the characters that are not visible, or change what is."""
    return _INVISIBLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text.replace("\r\n", "\n"))


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shortened(line: str, limit: int) -> str:
    return line if len(line) <= limit else f"{line[:limit]}…"


def _cut(head: str, lines: Sequence[str], tail: tuple[str, str], what: str, room: int) -> str:
    """Return head, lines and tail; if not all lines fit, with a note of how many are left out.

    Args:
        head: What precedes the lines.
        lines: The lines.
        tail: What must follow the last line, and the Markdown after that and after the note.
        what: Name of the lines.
        room: Greatest size in characters.

    Returns:
        Markdown, empty if no line fits.
    """
    closing, end = tail[0], f"\n\n{tail[1]}" if tail[1] else ""
    whole = "\n".join([head, *lines]) + closing + end
    if size(whole) <= room:
        return whole

    def note(left: int) -> str:
        return f"\n\n*{left} more {what} are left out.*"

    kept = list(_fitting(lines, room - size(head + closing + note(len(lines)) + end)))
    return "\n".join([head, *kept]) + closing + note(len(lines) - len(kept)) + end if kept else ""


def _fitting(lines: Sequence[str], room: int) -> Iterator[str]:
    for line in lines:
        room -= 1 + size(line)
        if room < 0:
            return
        yield line
