"""A change of each configuration key has the effect that the key declares, and none is silently ignored.

Each key needs a value to change it to in platform_values.py or vault_values.py. The program runs before and after the
change; the steps of the engine follow from the inputs of its resources, and the checks compare the changed
configuration with what the unchanged one created.
"""

import copy
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from config.changes import Effect, Key, keys
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from probes import openstack_connection, vault_server_preflight
from probes.openstack_connection import Location
from program import bound_claims, cluster_nodes
from tests.unit.program import test_vault_project
from tests.unit.program.changes import Steps, steps
from tests.unit.program.conftest import STATIC, StackRunner
from tests.unit.program.created_before import openstack_refusals, vault_project_of, vault_refusals
from tests.unit.program.platform_values import HEAT, NAMES, PLATFORM, VOLUMES, To
from tests.unit.program.vault_values import VAULT
from tests.unit.recording import STACK, Recording
from tests.unit.sample import environment, environment_data, vault_stack, vault_stack_data

ONLY_THE_RUN: Mapping[str, str] = {
    "applications.timeout": "the timeouts of operations",
    **dict.fromkeys(
        (
            "backups.kind",
            "backups.volumes",
            "backups.claims",
            "backups.incremental",
            "backups.keep.daily",
            "backups.keep.weekly",
        ),
        "the next `operations backup` (tests/unit/operations/test_backup.py)",
    ),
    "enforcePreflight": "the checks before the first resource (tests/unit/program/test_failures.py)",
    "ingress.answerTimeout": "the end of each update (tests/unit/program/test_platform_answer.py)",
    "protect": "marks in the state, which are no properties of resources",
}
"""Keys that change no resource, with what they change."""


def test_each_key_declares_what_a_change_does_and_has_a_value_to_change_it_to() -> None:
    for model, values in ((StackConfig, PLATFORM), (VaultStackConfig, VAULT)):
        changeable = [key for key in keys(model) if not key.section]
        assert [key.path for key in changeable if key.change is None] == []
        assert sorted(key.path for key in changeable) == sorted(values)
        only_the_run = {key.path for key in changeable if key.change and key.change.effect is Effect.RUN}
        assert only_the_run == ONLY_THE_RUN.keys() & values.keys()


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
    parts = path.split(".")
    return [NAMES[".".join(parts[:index])] if part == "NAME" else part for index, part in enumerate(parts)]


def _variant(key: Key, value: Any, heat: bool) -> tuple[To, str]:
    to = To.of(value)
    if heat and "clusters.cluster.driver" not in to.base:
        to = replace(to, base={**HEAT, **to.base})
        path = ".".join(parts_of(key.path))
        if path in HEAT:
            other = {
                "clusters.cluster.kubernetesVersion": "v1.27.8-rancher2",
                "clusters.cluster.image": "fedora-coreos-39",
            }
            to = replace(to, value=other[path], also={})
    return to, ".".join(parts_of(key.path))


def check(effect: Effect, refusals: list[str], found: Steps | None) -> None:
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


def _naming(path: str, refusals: Iterable[str]) -> list[str]:
    """Return the messages that begin with a key; there may be others for keys that change with it."""
    lines = [line for each in refusals for line in each.splitlines()]
    named = [line for line in lines if line.startswith(path)]
    assert named or not lines, lines
    return named


# The platform


CASES = [
    pytest.param(key, heat, id=f"{key.path}{' with heat' if heat else ''}")
    for key in keys(StackConfig)
    if not key.section and key.change
    for heat in ((False, True) if key.change.heat else (False,))
]


@pytest.mark.parametrize(("key", "heat"), CASES)
def test_a_change_has_the_declared_effect(
    key: Key, heat: bool, run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    to, path = _variant(key, PLATFORM[key.path], heat)
    before = changed(platform(to.stack), to.base)
    refusals, found = outcome(to, before, changed(before, {**to.also, key.path: to.value}), run_stack, monkeypatch)
    assert key.change
    effect = (heat and key.change.heat) or key.change.effect
    check(effect, _naming(f"rsp:{path}", refusals), found)


def outcome(
    to: To,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    run_stack: StackRunner,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[list[str], Steps | None]:
    """Return the messages that refuse a changed configuration; without any, the steps of the engine."""
    monkeypatch.setattr(cluster_nodes, "addresses", lambda *_: pulumi.Output.from_input(["10.20.0.50"]))
    monkeypatch.setattr(bound_claims, "verify", lambda *_: None)
    if to.passing:
        monkeypatch.setattr(to.passing, lambda *_: [])
    old, new = environment(**before), environment(**after)
    if refusals := [*openstack_refusals(old, new, monkeypatch), *vault_refusals(old, new, to.stack)]:
        return refusals, None
    first, held = _first_run(run_stack, to.stack, before), _held(run_stack, to.stack)
    try:
        return [], steps(first, run_stack(to.stack, config=after, existing=held, stashed=_stashed(first)))
    except pulumi.RunError as error:
        return [str(error)], None


def platform(stack: str) -> dict[str, Any]:
    """Return a configuration of a Phalanx environment."""
    return {**environment_data(nfs__volumes=VOLUMES, phalanx__environment=stack), "protect": True}


_RUNS: dict[str, Recording] = {}


def _first_run(run_stack: StackRunner, stack: str, config: Mapping[str, Any]) -> Recording:
    """Return the first run with a configuration, which many tests share."""
    identity = json.dumps(config)
    if identity not in _RUNS:
        _RUNS[identity] = run_stack(stack, config=config, existing=_held(run_stack, stack))
    return _RUNS[identity]


_HELD: dict[str, Mapping[str, Mapping[str, str]]] = {}


def _held(run_stack: StackRunner, stack: str) -> Mapping[str, Mapping[str, str]]:
    """Return the secrets that a first run writes to Vault: with them, all runs have the same generated secrets."""
    if stack not in _HELD:
        file = run_stack.directory / "static-secrets.yaml"
        file.write_text("applications: {argocd: {dex.clientSecret: {value: planted-in-a-file}}}\n")
        file.chmod(0o600)
        secrets = run_stack(stack, config=platform(stack), existing=STATIC[stack]).of("SecretV2")
        _HELD[stack] = {each.name.removeprefix("secrets-"): json.loads(each.inputs["dataJson"]) for each in secrets}
    return _HELD[stack]


def _stashed(run: Recording) -> dict[str, Any]:
    """Return what the state keeps of the keys that cannot change."""
    stashes = run.of("pulumi:index:Stash")
    return {each.name: each.inputs["input"] for each in stashes if each.name.startswith("created-with-")}


# The site's own Vault


@pytest.mark.parametrize("key", [pytest.param(key, id=key.path) for key in keys(VaultStackConfig) if not key.section])
def test_a_change_in_the_vault_project_has_the_declared_effect(key: Key, monkeypatch: pytest.MonkeyPatch) -> None:
    to, path = _variant(key, VAULT[key.path], heat=False)
    before = changed(vault_stack_data(), to.base)
    refusals, found = vault_outcome(before, changed(before, {**to.also, key.path: to.value}), monkeypatch)
    assert key.change
    check(key.change.effect, _naming(f"rsp-vault:{path}", refusals), found)


def vault_outcome(
    before: Mapping[str, Any], after: Mapping[str, Any], monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], Steps | None]:
    """Return what `outcome` does, for the Vault project."""
    project, changed_to = vault_project_of(vault_stack(**before)), vault_stack(**after)
    monkeypatch.setattr(vault_server_preflight, "connect", lambda *_: project)
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])
    monkeypatch.setattr(openstack_connection, "locate", lambda cloud, _: Location("project-id", cloud.region))
    if refusals := [str(each) for each in vault_server_preflight.check(changed_to, STACK) if each.fatal]:
        return refusals, None
    monkeypatch.setattr(vault_server_preflight, "check", lambda *_: [])
    first = _first_vault_run(json.dumps(before))
    try:
        second = test_vault_project.run(test_vault_project.as_config(after), stashed=_stashed(first))
    except pulumi.RunError as error:
        return [str(error)], None
    return [], steps(first, second)


@functools.cache
def _first_vault_run(config: str) -> Recording:
    """Return the first run with a configuration in JSON, which many tests share."""
    return test_vault_project.run(test_vault_project.as_config(json.loads(config)))
