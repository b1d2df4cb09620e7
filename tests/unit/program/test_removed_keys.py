"""The removal of an optional configuration key takes effect or is refused, as the change of its value does.

A property that the provider computes if it is absent (`COMPUTED`) keeps its value without the key, and the run would
change nothing. `lasting_keys` names the keys of such properties.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import pulumi
import pytest
from pydantic import BaseModel

from config.changes import Effect, keys
from config.loader import ConfigError
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from probes import openstack_connection, vault_server_preflight
from probes.openstack_connection import Location
from program import bound_claims, cluster_nodes
from tests.unit.program import test_vault_project
from tests.unit.program.changes import steps
from tests.unit.program.conftest import StackRunner
from tests.unit.program.created_before import openstack_refusals, vault_project_of, vault_refusals
from tests.unit.program.platform_values import PLATFORM, To
from tests.unit.program.test_changing_keys import _first_run, _held, _parts, _platform, _stashed, changed
from tests.unit.program.vault_values import VAULT
from tests.unit.recording import STACK
from tests.unit.sample import environment, vault_stack, vault_stack_data


def optional(model: type[BaseModel]) -> list[str]:
    """Return the paths of the keys that have no value by default, and affect resources."""
    without = set(_without_value(model, ""))
    return [
        key.path for key in keys(model) if key.path in without and key.change and key.change.effect is not Effect.RUN
    ]


def _without_value(annotation: Any, path: str) -> Iterator[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        for name, field in annotation.model_fields.items():
            at = f"{path}.{field.alias or name}".lstrip(".")
            if not field.is_required() and not field.default:
                yield at
            yield from _without_value(field.annotation, at)
    elif get_origin(annotation) is dict:
        yield from _without_value(get_args(annotation)[1], f"{path}.NAME")
    else:
        for each in get_args(annotation):
            yield from _without_value(each, path)


def removed(data: Mapping[str, Any], path: str) -> dict[str, Any]:
    """Return a configuration without a key."""
    result = changed(data, {})
    *above, last = _parts(path)
    section = result
    for part in above:
        section = section[part]
    section.pop(last)
    return result


def to_of(values: Mapping[str, Any], path: str) -> To:
    value = values[path]
    return value if isinstance(value, To) else To(value=value)


@pytest.mark.parametrize("path", optional(StackConfig))
def test_the_removal_of_a_key_has_an_effect_or_is_refused(
    path: str, run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = to_of(PLATFORM, path)
    monkeypatch.setattr(cluster_nodes, "addresses", lambda *_: pulumi.Output.from_input(["10.20.0.50"]))
    monkeypatch.setattr(bound_claims, "verify", lambda *_: None)
    if to.passing:
        monkeypatch.setattr(to.passing, lambda *_: [])
    # Where the value is false, the key is present before the change that the other test makes.
    before = changed(changed(_platform(to.stack), to.base), {**to.also, path: to.value} if to.value else to.also)
    after = removed(before, path)
    try:
        old, new = environment(**before), environment(**after)
    except ConfigError:
        return
    refusals = [*openstack_refusals(old, new, monkeypatch), *vault_refusals(old, new, to.stack)]
    if not refusals:
        first, held = _first_run(run_stack, to.stack, before), _held(run_stack, to.stack)
        try:
            assert steps(first, run_stack(to.stack, config=after, existing=held, stashed=_stashed(first)))
        except pulumi.RunError as error:
            refusals = str(error).splitlines()
    if refusals:
        assert any(each.startswith(f"rsp:{'.'.join(_parts(path))}") for each in refusals), refusals


@pytest.mark.parametrize("path", optional(VaultStackConfig))
def test_the_removal_of_a_key_of_the_vault_has_an_effect_or_is_refused(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    to = to_of(VAULT, path)
    before = changed(changed(vault_stack_data(), to.base), {**to.also, path: to.value} if to.value else to.also)
    after = removed(before, path)
    try:
        project = vault_project_of(vault_stack(**before))
        new = vault_stack(**after)
    except ConfigError:
        return
    monkeypatch.setattr(vault_server_preflight, "connect", lambda *_: project)
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])
    monkeypatch.setattr(openstack_connection, "locate", lambda cloud, _: Location("project-id", cloud.region))
    if refusals := [str(each) for each in vault_server_preflight.check(new, STACK) if each.fatal]:
        assert any(each.startswith(f"rsp-vault:{path}") for each in refusals), refusals
        return
    monkeypatch.setattr(vault_server_preflight, "check", lambda *_: [])
    first = test_vault_project.run(test_vault_project.as_config(json.loads(json.dumps(before))))
    try:
        assert steps(first, test_vault_project.run(test_vault_project.as_config(after), stashed=_stashed(first)))
    except pulumi.RunError as error:
        if not str(error).startswith(f"rsp-vault:{path}: "):
            raise
