"""Changes of a Helm values file that keep its comments, its order and its layout.

The text is changed only where the YAML parser says that a value is. A library that reads and writes whole files, such
as ruamel.yaml, would also change indentation and line breaks elsewhere.
"""

import difflib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import yaml

from phalanx.documents import parse_mapping
from phalanx.errors import PhalanxError
from phalanx.values import merge

_PLAIN = re.compile(r"[A-Za-z0-9_./-]+")
"""Text that may need no quotes."""


class _Edit(NamedTuple):
    """The replacement of a part of the text; the fields are in the order in which edits are made."""

    start: int
    end: int
    depth: int
    """Negative nesting: of two insertions at the same place, the inner one comes first."""
    text: str


class _Dumper(yaml.SafeDumper):
    """Writes YAML in Phalanx's layout: lists are indented, and text of several lines is a block."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002
        super().increase_indent(flow, False)


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None if _is_plain(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def changed(text: str, values: Mapping[str, Any], where: str) -> str:
    """Return a values file with other values.

    Args:
        text: Content of the file.
        values: Values to set. Mappings are merged into those of the file, and all other values replace them.
        where: Name of the file, for error messages.

    Raises:
        PhalanxError: The file is not YAML, or cannot be changed in this way: a value is shared by an alias, or a
            mapping is expected in place of something else.
    """
    before = parse_mapping(text, where)
    root = yaml.compose(text, yaml.SafeLoader)
    if isinstance(root, yaml.MappingNode) and root.value:
        edits = sorted(_edits(root, values, text))
    else:
        edits = [_Edit(len(text), len(text), 0, _line_start(text, len(text)) + _dump(values, 0))]
    after = _apply(text, edits)
    expected = merge(before, values)
    try:
        right = parse_mapping(after, where) == expected
    except PhalanxError:
        right = False
    if not right:
        raise PhalanxError(
            f"{where}: cannot be changed automatically, as it uses anchors or an unusual layout: set these values in "
            f"the file: {json.dumps(values, ensure_ascii=False)}"
        )
    return after


def unified_diff(before: str | None, after: str, path: str) -> str:
    """Return the difference between two versions of a file, as `git apply` and `patch -p1` read it.

    Args:
        before: Present content; None if the file does not exist.
        after: New content.
        path: Path of the file in the repository.
    """
    lines = difflib.unified_diff(
        (before or "").splitlines(keepends=True),
        after.splitlines(keepends=True),
        "/dev/null" if before is None else f"a/{path}",
        f"b/{path}",
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _edits(node: yaml.MappingNode, values: Mapping[str, Any], text: str) -> Iterator[_Edit]:
    """Yield the changes in a mapping that has entries."""
    present = {key.value: value for key, value in node.value}
    for key, value in values.items():
        if key in present:
            yield from _edits_of_value(present[key], value, text)
    if missing := {key: value for key, value in values.items() if key not in present}:
        yield _insertion(node, missing, text)


def _edits_of_value(node: yaml.Node, value: Any, text: str) -> Iterator[_Edit]:
    match node, value:
        case yaml.MappingNode(value=[_, *_]), Mapping():
            yield from _edits(node, value, text)
        case yaml.SequenceNode(value=items), list() if len(items) == len(value):
            for item, each in zip(items, value, strict=True):
                yield from _edits_of_value(item, each, text)
        case yaml.ScalarNode(), str() | bool() | int() | float() if _constructed(node) != value:
            yield _Edit(node.start_mark.index, node.end_mark.index, 0, _scalar(node, value))
        case yaml.ScalarNode(), str() | bool() | int() | float():
            pass
        case yaml.ScalarNode(), Mapping() if value and _constructed(node) is None:
            space = " " if node.start_mark.index == node.end_mark.index else ""
            yield _Edit(node.start_mark.index, node.end_mark.index, 0, space + _flow(value))
        case yaml.CollectionNode(flow_style=True), Mapping() | list():
            yield _Edit(node.start_mark.index, node.end_mark.index, 0, _flow(value))
        case _:
            pass  # The comparison at the end reports it.


def _constructed(node: yaml.ScalarNode) -> Any:
    return yaml.SafeLoader("").construct_object(node)


def _scalar(node: yaml.ScalarNode, value: Any) -> str:
    """Return a value in the style of the one that it replaces."""
    if not isinstance(value, str):
        return json.dumps(value)
    if "\n" in value:
        # A block would need an indentation, and may end before a comment.
        return json.dumps(value, ensure_ascii=False) + ("\n" if node.style in ("|", ">") else "")
    if node.style == "'":
        return "'" + value.replace("'", "''") + "'"
    if node.style is None and _is_plain(value):
        return value
    return json.dumps(value, ensure_ascii=False) + ("\n" if node.style in ("|", ">") else "")


def _is_plain(text: str) -> bool:
    return bool(_PLAIN.fullmatch(text)) and yaml.safe_load(text) == text


def _insertion(node: yaml.MappingNode, values: Mapping[str, Any], text: str) -> _Edit:
    """Return the insertion of entries at the end of a mapping."""
    if node.flow_style:
        end = node.end_mark.index - 1
        return _Edit(end, end, 0, f", {_flow(values)[1:-1]}")
    indent = node.value[0][0].start_mark.column
    end = _end(node, text)
    return _Edit(end, end, -indent, _line_start(text, end) + _dump(values, indent))


def _end(node: yaml.Node, text: str) -> int:
    """Return where the line after a value begins; the marks of block collections are after comments that follow."""
    while isinstance(node, yaml.CollectionNode) and node.value and not node.flow_style:
        node = node.value[-1][1] if isinstance(node, yaml.MappingNode) else node.value[-1]
    end: int = node.end_mark.index
    if end and text[end - 1] == "\n":
        return end
    newline = text.find("\n", end)
    return len(text) if newline < 0 else newline + 1


def _line_start(text: str, position: int) -> str:
    """Return the line break that is missing before a position at which a line begins."""
    return "" if position == 0 or text[position - 1] == "\n" else "\n"


def _dump(values: Mapping[str, Any], indent: int) -> str:
    dumped = yaml.dump(dict(values), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10**6)
    return "".join(f"{' ' * indent}{line}" if line.strip() else line for line in dumped.splitlines(keepends=True))


def _flow(value: Any) -> str:
    """Return a value in one line; JSON is YAML."""
    return json.dumps(value, ensure_ascii=False)


def _apply(text: str, edits: list[_Edit]) -> str:
    parts, position = [], 0
    for edit in edits:
        parts += [text[position : edit.start], edit.text]
        position = edit.end
    return "".join([*parts, text[position:]])
