"""What differs between the inputs of two runs, and what may be left out of account."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from sandbox.engine.errors import ResourceError
from sandbox.engine.values import UNKNOWN, Properties, Secret, Unknown, has_secret, mask, reveal

Path = tuple[str | int, ...]
"""The way to a value: keys of dicts and positions in lists."""

_MISSING: Final = object()
_SEGMENT: Final = re.compile(
    r"""\.?(?:(?P<name>[^.\[\]"]+)|\[(?P<index>\d+)\]|\["(?P<quoted>[^"]*)"\]|\[(?P<all>\*)\])"""
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One value that differs.

    Attributes:
        old: The value before, as it may be shown; None where there was none.
        new: The value now, as it may be shown; None where there is none.
        replaces: Whether the resource has to be replaced for it.
    """

    path: Path
    kind: Literal["add", "update", "delete"]
    old: Any = None
    new: Any = None
    replaces: bool = False

    def __str__(self) -> str:
        return format_path(self.path)


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """All differences, as deep as dicts and lists of one length go.

    Secrets are compared by their value and never shown.
    """
    return list(_compare((), old, new))


def _compare(path: Path, old: Any, new: Any, hide: bool = False) -> Iterator[Change]:
    hide = hide or isinstance(old, Secret) or isinstance(new, Secret)
    old = old.value if isinstance(old, Secret) else old
    new = new.value if isinstance(new, Secret) else new
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            yield from _compare((*path, key), old.get(key, _MISSING), new.get(key, _MISSING), hide)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compare((*path, index), before, after, hide)
    elif isinstance(new, Unknown) or _plain(old) != _plain(new):
        kind: Literal["add", "update", "delete"] = (
            "add" if old is _MISSING else "delete" if new is _MISSING else "update"
        )
        yield Change(path=path, kind=kind, old=_shown(old, hide), new=_shown(new, hide))


def _plain(value: Any) -> Any:
    return value if value is _MISSING else reveal(value)


def _shown(value: Any, hide: bool) -> Any:
    if value is _MISSING:
        return None
    return "[secret]" if hide and not isinstance(value, Unknown) else mask(value)


def format_path(path: Path) -> str:
    """The path as Pulumi writes it: `spec.ports[0].name`, `metadata["a.b/c"]`."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif re.fullmatch(r"[\w-]+", step):
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
    return text


def parse_path(text: str) -> tuple[str | int, ...]:
    """The path of an ignoreChanges or replaceOnChanges entry; `*` stands for every key or position.

    Raises:
        ResourceError: It is not of that form.
    """
    steps: list[str | int] = []
    position = 0
    while position < len(text):
        match = _SEGMENT.match(text, position)
        if match is None:
            raise ResourceError(f"{text!r} is no property path")
        index = match.group("index")
        steps.append(int(index) if index else match.group("name") or match.group("quoted") or "*")
        position = match.end()
    return tuple(steps)


def matches(pattern: Path, path: Path) -> bool:
    """Whether a change at `path` concerns `pattern`: one contains the other."""
    return all(want in {"*", have} for want, have in zip(pattern, path, strict=False))


def ignore(new: Properties, old: Mapping[str, Any], paths: Iterable[str]) -> Properties:
    """`new` with the values of `old` at `paths`, as ignoreChanges asks."""
    for text in paths:
        new = _take_over(new, old, parse_path(text))
    return new


def _take_over(new: Any, old: Any, path: Path) -> Any:
    step, rest = path[0], path[1:]
    if isinstance(new, Secret) and rest:
        return Secret(_take_over(new.value, old.value if isinstance(old, Secret) else old, path))
    old = old.value if isinstance(old, Secret) and rest else old
    if isinstance(new, list) and isinstance(old, list):
        wanted = range(len(new)) if step == "*" else [step] if isinstance(step, int) else []
        taken = list(new)
        for index in wanted:
            if index < min(len(new), len(old)):
                taken[index] = _take_over(new[index], old[index], rest) if rest else old[index]
        return taken
    if not isinstance(new, Mapping) or not isinstance(old, Mapping):
        return new
    result = dict(new)
    for key in {**new, **old} if step == "*" else [str(step)]:
        if rest and key in new and key in old:
            result[key] = _take_over(new[key], old[key], rest)
        elif not rest and key in old:
            result[key] = old[key]
        elif not rest:
            result.pop(key, None)
    return result


def adopt_drift(inputs: Properties, before: Mapping[str, Any], now: Mapping[str, Any]) -> Properties:
    """`inputs` with each value that the real resource no longer has replaced by the one that it has.

    What counts is the difference between two readings of the resource, so that a service's own way to write a value
    (a normalised CIDR, an upper-case protocol) is not taken for drift.

    Args:
        inputs: The recorded inputs.
        before: The outputs as recorded.
        now: The outputs as just read.
    """
    result = dict(inputs)
    for key, value in inputs.items():
        old, new = reveal(before.get(key)), reveal(now.get(key))
        if old == new:
            continue
        plain = reveal(value)
        if isinstance(plain, Mapping) and isinstance(old, Mapping) and isinstance(new, Mapping):
            drifted: Any = adopt_drift(dict(plain), old, new)
        else:
            drifted = new
        if drifted is None:
            del result[key]
        else:
            result[key] = Secret(drifted) if has_secret(value) else drifted
    return result


def with_unknown(inputs: Properties, keys: Iterable[str]) -> Properties:
    """`inputs` in which the values of `keys` are not known yet."""
    return {**inputs, **dict.fromkeys(keys, UNKNOWN)}
