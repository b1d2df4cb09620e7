"""The removal of an optional configuration key takes effect or is refused, as the change of its value does.

A property that the provider computes if it is absent (`COMPUTED`) keeps its value without the key, and the run would
change nothing. `lasting_keys` names the keys of such properties.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import pytest
from pydantic import BaseModel

from config.annotations import item_type, models
from config.changes import Effect, keys
from config.loader import ConfigError
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from tests.unit.program.changes import Steps
from tests.unit.program.conftest import StackRunner
from tests.unit.program.platform_values import PLATFORM, To
from tests.unit.program.test_changing_keys import changed, outcome, parts_of, platform, vault_outcome
from tests.unit.program.vault_values import VAULT
from tests.unit.sample import vault_stack_data


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
    # Where the value is false, the key is present before the change that the other test makes.
    before = changed(changed(data, to.base), {**to.also, path: to.value} if to.value else to.also)
    return before, removed(before, path)


def check(key: str, refusals: list[str], found: Steps | None) -> None:
    named = any(line.startswith(key) for each in refusals for line in each.splitlines())
    assert found if found is not None else named, refusals


@pytest.mark.parametrize("path", optional(StackConfig))
def test_the_removal_of_a_key_has_an_effect_or_is_refused(
    path: str, run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = To.of(PLATFORM[path])
    with suppress(ConfigError):
        before, after = before_and_after(platform(to.stack), path, to)
        check(f"rsp:{'.'.join(parts_of(path))}", *outcome(to, before, after, run_stack, monkeypatch))


@pytest.mark.parametrize("path", optional(VaultStackConfig))
def test_the_removal_of_a_key_of_the_vault_has_an_effect_or_is_refused(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with suppress(ConfigError):
        before, after = before_and_after(vault_stack_data(), path, To.of(VAULT[path]))
        check(f"rsp-vault:{path}", *vault_outcome(before, after, monkeypatch))
