"""Configurations before and after a change of a key, runs of a program with them, and what a change must lead to."""

import copy
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from config.annotations import item_type, models
from config.changes import Effect, keys
from tests.unit.program.changes import Steps
from tests.unit.program.platform_values import NAMES, To
from tests.unit.recording import Recording


def changed(data: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a configuration with other values, by path; the last name may contain dots."""
    result = copy.deepcopy(dict(data))
    for path, value in values.items():
        *above, last = parts_of(path)
        section = result
        for part in above:
            section = section.setdefault(part, {})
        section[last] = value
    return result


def parts_of(path: str) -> list[str]:
    """Return the names that lead to a key; each ``NAME`` is one of the sample."""
    parts = path.split(".")
    return [NAMES[".".join(parts[:index])] if part == "NAME" else part for index, part in enumerate(parts)]


def removed(data: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a configuration without a key."""
    result = changed(data, {})
    *above, last = parts_of(path)
    section = result
    for part in above:
        section = section[part]
    section.pop(last)
    return result


def before_and_after(data: Mapping[str, Any], path: str, to: To) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a configuration with a key and without it."""
    # Where the value is false, the key is present before the change that the test of its value makes.
    before = changed(changed(data, to.base), {**to.also, path: to.value} if to.value else to.also)
    return before, removed(before, path)


def optional(model: type[BaseModel]) -> list[str]:
    """Return the paths of the keys that have no value by default, and affect resources."""
    without = set(_without_value(model, ""))
    return [
        key.path for key in keys(model) if key.path in without and key.change and key.change.effect is not Effect.RUN
    ]


def _without_value(annotation: Any, path: str) -> Iterator[str]:
    for model in models(annotation):
        for name, field in model.model_fields.items():
            at = f"{path}.{field.alias or name}".lstrip(".")
            if not field.is_required() and not field.default:
                yield at
            yield from _without_value(field.annotation, at)
    if (item := item_type(annotation)) is not None:
        yield from _without_value(item, f"{path}.NAME")


def check_change(effect: Effect, refusals: list[str], found: Steps | None) -> None:
    """Check that a change has the declared effect.

    Args:
        effect: The declared effect.
        refusals: Messages that refuse the change.
        found: Steps of the engine, None if the program was refused before.
    """
    if effect is Effect.REFUSED:
        assert refusals or (found and found.refused), found
        return
    assert refusals == []
    assert found is not None
    assert not found.refused, found
    assert bool(found.replaced) is (effect is Effect.REPLACES), found
    assert bool(found) is (effect is not Effect.RUN), f"the key is ignored: {found}"


def check_removal(key: str, refusals: list[str], found: Steps | None) -> None:
    """Check that the removal of a key has an effect, or is refused with its path."""
    named = any(line.startswith(key) for each in refusals for line in each.splitlines())
    assert found if found is not None else named, refusals


def naming(path: str, refusals: Iterable[str]) -> list[str]:
    """Return the messages that begin with a key; there may be others for keys that change with it."""
    lines = [line for each in refusals for line in each.splitlines()]
    named = [line for line in lines if line.startswith(path)]
    assert named or not lines, lines
    return named


class SharedRuns:
    """Runs of a program, of which many tests need the same: the removal of a key is its change in reverse.

    Args:
        run: Runs the program with a configuration, and the values that stashes have kept by logical name.
    """

    def __init__(self, run: Callable[[Mapping[str, Any], Mapping[str, Any]], Recording]) -> None:
        self._run = run
        self._first: dict[str, Recording] = {}

    def first(self, config: Mapping[str, Any]) -> Recording:
        """Return the first run of a stack."""
        return self._run_with(config, {})

    def after(self, before: Recording, config: Mapping[str, Any]) -> Recording:
        """Return a run that follows another one."""
        return self._run_with(config, _stashed(before))

    def _run_with(self, config: Mapping[str, Any], kept: Mapping[str, Any]) -> Recording:
        identity = json.dumps(config)
        found = self._first.get(identity)
        if found is None or not _is_first(found, kept):
            found = self._run(config, kept)
        if _is_first(found, kept):
            self._first[identity] = found
        return found


def _is_first(run: Recording, kept: Mapping[str, Any]) -> bool:
    """Return whether a run is the same as a first one: the stashes have kept what its configuration contains."""
    return all(kept.get(name, value) == value for name, value in _stashed(run).items())


def _stashed(run: Recording) -> dict[str, Any]:
    """Return what the state keeps of the keys that cannot change."""
    stashes = run.of("pulumi:index:Stash")
    return {each.name: each.inputs["input"] for each in stashes if each.name.startswith("created-with-")}
