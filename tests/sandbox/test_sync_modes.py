"""All changes between the modes of `applications.sync`, and changes of the timeout, on the deployed stack."""

import json
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from config.applications import SyncMode
from config.stack_config import StackConfig
from sandbox.process import wait_for
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

ON_CHANGE, AUTOMATIC, MANUAL = SyncMode
EVERY_CHANGE = (ON_CHANGE, AUTOMATIC, MANUAL, ON_CHANGE, MANUAL, AUTOMATIC, ON_CHANGE)
"""A sequence with each change from one mode to another once."""

APPLICATION = "kubernetes:argoproj.io/v1alpha1:Application"
FIRST_SYNC = "kubernetes:argoproj.io/v1alpha1:ApplicationPatch"

Varied = Callable[[dict[str, Any]], Program]


@pytest.fixture
def varied(program: Program, tmp_path: Path) -> Iterator[Varied]:
    """Yield a function that varies the settings of the applications; deploy the original ones afterwards."""
    yield lambda settings: Program("sandbox", vary(tmp_path / "Pulumi.sandbox.yaml", {"applications": settings}))
    program.run("up")


def planned(program: Program) -> dict[str, set[str]]:
    """Return the types of the resources that a preview would change, by operation."""
    found: dict[str, set[str]] = {}
    for step in json.loads(program.run("preview", "--json"))["steps"]:
        if step["op"] != "same":
            found.setdefault(step["op"], set()).add((step.get("newState") or step["oldState"])["type"])
    return found


def expected_changes(before: SyncMode, after: SyncMode) -> dict[str, set[str]]:
    changes = {"update": {APPLICATION}}
    if MANUAL in (before, after):
        changes["create" if after is MANUAL else "delete"] = {FIRST_SYNC}
    return changes


def helm_releases(objects: Objects) -> set[str]:
    """Return all revisions of all Helm releases."""
    secrets = objects.all("v1", "Secret")
    return {each["metadata"]["name"] for each in secrets if each["type"] == "helm.sh/release.v1"}


def wanted(objects: Objects) -> dict[str, Any]:
    """Wait for all syncs to end; return each Application's spec, annotations and start time of the last sync."""
    wait_for(lambda: not any("operation" in each for each in objects.applications().values()), "all syncs have ended")
    return {
        name: (each["spec"], each["metadata"]["annotations"], each["status"]["operationState"]["startedAt"])
        for name, each in objects.applications().items()
    }


def test_each_mode_can_be_changed_to_each_other(
    program: Program, varied: Varied, objects: Objects, settings: StackConfig
) -> None:
    program.run("up")
    releases = helm_releases(objects)
    for before, after in pairwise(EVERY_CHANGE):
        changed = varied({"sync": after.value})
        assert planned(changed) == expected_changes(before, after), f"{before} -> {after}"
        changed.run("up")

        outputs = program.outputs()["applications"]
        for name, application in objects.applications().items():
            automated = None if after is MANUAL else {"prune": True}
            spec = application["spec"]
            assert spec.get("syncPolicy", {}).get("automated") == automated, f"{before} -> {after}: {name}"
            assert spec["source"]["targetRevision"] == outputs[name], f"{before} -> {after}: {name}"
            assert (outputs[name] == settings.phalanx.revision) is (after is AUTOMATIC), f"{before} -> {after}: {name}"
            assert application["status"]["sync"]["status"] == "Synced", f"{before} -> {after}: {name}"

        assert changed.changes("preview") == {}, f"{before} -> {after}"
        assert changed.changes("refresh") == {}, f"{before} -> {after}"
    assert helm_releases(objects) == releases


def test_an_application_can_have_a_mode_of_its_own(varied: Varied, objects: Objects) -> None:
    changed = varied({"overrides": {"mobu": {"sync": "manual"}, "portal": {"wait": False}}})
    changed.run("up")
    policies = {name: each["spec"].get("syncPolicy", {}) for name, each in objects.applications().items()}
    assert [name for name, each in policies.items() if "automated" not in each] == ["mobu"]
    assert changed.changes("preview") == {}
    assert changed.changes("refresh") == {}


@pytest.mark.parametrize("mode", [ON_CHANGE, MANUAL])
def test_a_changed_timeout_updates_nothing(mode: SyncMode, varied: Varied, objects: Objects) -> None:
    varied({"sync": mode.value, "timeout": 800}).run("up")
    before = (helm_releases(objects), wanted(objects))
    changed = varied({"sync": mode.value, "timeout": 700})
    assert changed.changes("preview") == {}
    assert changed.changes("up") == {}
    assert changed.changes("refresh") == {}
    assert (helm_releases(objects), wanted(objects)) == before
