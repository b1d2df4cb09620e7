"""Which runner has a stack on record, and that no other one touches it."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from rich.console import Console

from sandbox import paths, pulumi_cli, runner, stacks
from sandbox.engine import runner as engine_runner
from sandbox.errors import SandboxError
from sandbox.runner import Options
from sandbox.stacks import Keeper

ENGINES = {"version": 1, "resources": [{"urn": "urn:pulumi:test::rsp::t::n"}]}
CLIS = {"version": 3, "checkpoint": {"latest": {"resources": [{"urn": "urn:pulumi:test::rsp::t::n"}]}}}


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "STACKS", tmp_path)
    monkeypatch.setattr(stacks, "CLI_BACKEND", tmp_path / "backend")


def _record(keeper: Keeper, state: dict[str, Any]) -> None:
    file = stacks.state_files("test")[keeper]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(state))


def test_the_project_is_the_one_of_the_file() -> None:
    assert yaml.safe_load((paths.CHECKOUT / "Pulumi.yaml").read_text())["name"] == stacks.PROJECT


@pytest.mark.parametrize(("keeper", "state"), [(Keeper.ENGINE, ENGINES), (Keeper.CLI, CLIS)])
def test_who_has_resources_of_a_stack_keeps_it(keeper: Keeper, state: dict[str, Any]) -> None:
    assert stacks.keeper("test") is None
    _record(keeper, state)
    assert stacks.keeper("test") is keeper


def test_a_destroyed_stack_has_no_keeper() -> None:
    _record(Keeper.ENGINE, {"version": 1, "resources": []})
    _record(Keeper.CLI, {"version": 3, "checkpoint": {"latest": {}}})
    assert stacks.keeper("test") is None


@pytest.mark.parametrize(
    ("recorded", "cli", "chosen"),
    [
        (None, True, "cli"),
        (None, False, "engine"),
        ((Keeper.CLI, CLIS), True, "cli"),
        ((Keeper.ENGINE, ENGINES), False, "engine"),
        ((Keeper.ENGINE, ENGINES), True, "engine"),
    ],
)
def test_the_runner_that_made_a_stack_goes_on_with_it(
    monkeypatch: pytest.MonkeyPatch,
    recorded: tuple[Keeper, dict[str, Any]] | None,
    cli: bool,
    chosen: str,
) -> None:
    if recorded:
        _record(*recorded)
    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/pulumi" if cli else None)
    monkeypatch.setattr(pulumi_cli, "PulumiCli", lambda *_: "cli")
    monkeypatch.setattr(engine_runner, "EngineRunner", lambda *_: "engine")
    assert str(runner.choose("test", Console(), Options())) == chosen


def test_without_the_cli_its_stack_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    _record(Keeper.CLI, CLIS)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(SandboxError, match="made by the Pulumi CLI, which is not on PATH"):
        runner.choose("test", Console(), Options())
