"""A change of each key of the Vault project has the declared effect, as in test_changing_keys.py."""

from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from config.changes import Key, keys
from config.loader import ConfigError
from config.vault_stack import VaultStackConfig
from probes import openstack_connection, vault_server_preflight
from probes.openstack_connection import Location
from tests.unit.program import test_vault_project
from tests.unit.program.changes import Steps, steps
from tests.unit.program.created_before import vault_project_of
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
from tests.unit.program.platform_values import To
from tests.unit.program.vault_values import VAULT
from tests.unit.recording import STACK
from tests.unit.sample import vault_stack, vault_stack_data


@pytest.mark.parametrize("key", [pytest.param(key, id=key.path) for key in keys(VaultStackConfig) if not key.section])
def test_a_change_has_the_declared_effect(key: Key, runs: SharedRuns, monkeypatch: pytest.MonkeyPatch) -> None:
    to = To.of(VAULT[key.path])
    before = changed(vault_stack_data(), to.base)
    refusals, found = _outcome(before, changed(before, {**to.also, key.path: to.value}), runs, monkeypatch)
    assert key.change
    check_change(key.change.effect, naming(f"rsp-vault:{'.'.join(parts_of(key.path))}", refusals), found)


@pytest.mark.parametrize("path", optional(VaultStackConfig))
def test_the_removal_of_a_key_has_an_effect_or_is_refused(
    path: str, runs: SharedRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, after = before_and_after(vault_stack_data(), path, To.of(VAULT[path]))
    vault_stack(**before)
    try:
        vault_stack(**after)
    except ConfigError:
        return  # refused
    check_removal(f"rsp-vault:{path}", *_outcome(before, after, runs, monkeypatch))


def _outcome(
    before: Mapping[str, Any], after: Mapping[str, Any], runs: SharedRuns, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[str], Steps | None]:
    """Return the messages that refuse a changed configuration; without any, the steps of the engine."""
    project, changed_to = vault_project_of(vault_stack(**before)), vault_stack(**after)
    monkeypatch.setattr(vault_server_preflight, "connect_as_provider", lambda *_: project)
    monkeypatch.setattr(vault_server_preflight, "_check_certificate", lambda _: [])
    monkeypatch.setattr(openstack_connection, "locate", lambda cloud, _: Location("project-id", cloud.region))
    if refusals := [str(each) for each in vault_server_preflight.check(changed_to, STACK) if each.fatal]:
        return refusals, None
    monkeypatch.setattr(vault_server_preflight, "check", lambda *_: [])
    first = runs.first(before)
    try:
        return [], steps(first, runs.after(first, after))
    except pulumi.RunError as error:
        return [str(error)], None


@pytest.fixture(scope="module")
def runs() -> SharedRuns:
    return SharedRuns(lambda config, kept: test_vault_project.run(test_vault_project.as_config(config), stashed=kept))
