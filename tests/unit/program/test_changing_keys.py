"""A change of each configuration key has the effect that the key declares, and none is silently ignored.

Each key needs a value to change it to in platform_values.py or vault_values.py. The program runs before and after the
change; the steps of the engine follow from the inputs of its resources, and the checks compare the changed
configuration with what the unchanged one created.

The removal of an optional key takes effect or is refused, too. A property that the provider computes if it is absent
(`COMPUTED`) keeps its value without the key, and the run would change nothing: `lasting_keys` names the keys of such
properties.
"""

import functools
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pulumi
import pytest

from config.changes import Effect, Key, keys
from config.loader import ConfigError
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from program import bound_claims, cluster_nodes
from tests.unit.program.changes import Steps, steps
from tests.unit.program.conftest import STATIC, StackRunner
from tests.unit.program.created_before import openstack_refusals, vault_refusals
from tests.unit.program.key_changes import (
    SharedRuns,
    before_and_after,
    changed,
    check_change,
    check_removal,
    naming,
    optional,
    parts_of,
)
from tests.unit.program.platform_values import HEAT, PLATFORM, VOLUMES, To
from tests.unit.program.vault_values import VAULT
from tests.unit.sample import environment, environment_data

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


CASES = [
    pytest.param(key, heat, id=f"{key.path}{' with heat' if heat else ''}")
    for key in keys(StackConfig)
    if not key.section and key.change
    for heat in ((False, True) if key.change.heat else (False,))
]


@pytest.mark.parametrize(("key", "heat"), CASES)
def test_a_change_has_the_declared_effect(
    key: Key, heat: bool, runs: Callable[[str], SharedRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    to, path = _variant(key, PLATFORM[key.path], heat)
    before = changed(_platform(to.stack), to.base)
    refusals, found = _outcome(to, before, changed(before, {**to.also, key.path: to.value}), runs, monkeypatch)
    assert key.change
    effect = (heat and key.change.heat) or key.change.effect
    check_change(effect, naming(f"rsp:{path}", refusals), found)


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


@pytest.mark.parametrize("path", optional(StackConfig))
def test_the_removal_of_a_key_has_an_effect_or_is_refused(
    path: str, runs: Callable[[str], SharedRuns], monkeypatch: pytest.MonkeyPatch
) -> None:
    to = To.of(PLATFORM[path])
    before, after = before_and_after(_platform(to.stack), path, to)
    environment(**before)
    try:
        environment(**after)
    except ConfigError:
        return  # refused
    check_removal(f"rsp:{'.'.join(parts_of(path))}", *_outcome(to, before, after, runs, monkeypatch))


def _outcome(
    to: To,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    runs: Callable[[str], SharedRuns],
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
    shared = runs(to.stack)
    first = shared.first(before)
    try:
        return [], steps(first, shared.after(first, after))
    except pulumi.RunError as error:
        return [str(error)], None


def _platform(stack: str) -> dict[str, Any]:
    """Return a configuration of a Phalanx environment."""
    return {**environment_data(nfs__volumes=VOLUMES, phalanx__environment=stack), "protect": True}


@pytest.fixture(scope="module")
def runs(run_stack: StackRunner) -> Callable[[str], SharedRuns]:
    """Return the runs of a stack."""

    @functools.cache
    def of(stack: str) -> SharedRuns:
        file = run_stack.directory / "static-secrets.yaml"
        file.write_text("applications: {argocd: {dex.clientSecret: {value: planted-in-a-file}}}\n")
        file.chmod(0o600)
        # With the secrets that a first run writes to Vault, all runs have the same generated secrets.
        secrets = run_stack(stack, config=_platform(stack), existing=STATIC[stack]).of("SecretV2")
        held = {each.name.removeprefix("secrets-"): json.loads(each.inputs["dataJson"]) for each in secrets}
        return SharedRuns(lambda config, kept: run_stack(stack, config=config, existing=held, stashed=kept))

    return of
