"""Sync modes of Argo CD, and timeouts of the program."""

import json
from typing import Any

import pytest

from config.applications import SyncMode
from tests.unit.program.conftest import COMMIT, StackRunner
from tests.unit.program.test_graph import application, conditions
from tests.unit.recording import Recording


def compared(recording: Recording) -> dict[str, dict[str, Any]]:
    """Return the inputs of all resources in the cluster whose changes cause an update, by name."""
    return {
        each.name: {key: value for key, value in each.inputs.items() if key not in each.ignored}
        for each in recording.resources
        if each.type.startswith("kubernetes:")
    }


def test_automatic_does_not_wait_for_a_commit(run_stack: StackRunner) -> None:
    recording = run_stack("sandbox", changes={"applications": {"sync": "automatic"}})
    assert application(recording, "tap")["spec"]["source"]["targetRevision"] == "main"
    assert not any("sync.revision" in each for each in conditions(recording, "tap"))
    assert application(recording, "tap")["spec"]["syncPolicy"]["automated"] == {"prune": True}


def test_manual_syncs_only_once(run_stack: StackRunner) -> None:
    recording = run_stack("sandbox", changes={"applications": {"sync": "manual"}})
    tap = recording.one("Application", "cluster-applications-tap")
    assert "operation" not in tap.inputs
    assert "syncPolicy" not in tap.inputs["spec"]
    assert tap.inputs["metadata"]["annotations"] == {"pulumi.com/skipAwait": "true"}
    assert recording.one("ApplicationPatch", "cluster-applications-gafaelfawr-first-sync").urn in tap.dependencies

    first_sync = recording.one("ApplicationPatch", "cluster-applications-tap-first-sync")
    # Without a revision, so that a repeated sync is never one of an old commit.
    assert first_sync.inputs["operation"]["sync"] == {}
    assert first_sync.ignored == {"operation"}
    annotations = first_sync.inputs["metadata"]["annotations"]
    assert json.loads(annotations["pulumi.com/waitFor"]) == [
        "jsonpath={.status.operationState.operation.initiatedBy.username}=pulumi",
        "jsonpath={.status.operationState.phase}=Succeeded",
        "jsonpath={.status.health.status}=Healthy",
    ]


def test_the_first_sync_has_the_options_of_the_application(run_stack: StackRunner) -> None:
    recording = run_stack("sandbox", changes={"applications": {"sync": "manual"}})
    assert recording.one("ApplicationPatch", "cluster-applications-argocd-first-sync").inputs["operation"]["sync"] == {
        "syncOptions": ["ServerSideApply=true"]
    }


@pytest.mark.parametrize("mode", SyncMode)
def test_no_sync_policy_is_empty(mode: SyncMode, run_stack: StackRunner) -> None:
    recording = run_stack("sandbox", changes={"applications": {"sync": mode}})
    assert {} not in [each.inputs["spec"].get("syncPolicy") for each in recording.of("Application")]


def test_after_manual_an_application_takes_over_the_fields_of_its_first_sync(run_stack: StackRunner) -> None:
    for mode in (SyncMode.ON_CHANGE, SyncMode.AUTOMATIC):
        recording = run_stack("sandbox", changes={"applications": {"sync": mode}})
        annotations = application(recording, "tap")["metadata"]["annotations"]
        assert annotations["pulumi.com/patchForce"] == "true"


def test_an_application_can_have_a_mode_of_its_own(run_stack: StackRunner) -> None:
    overrides = {"tap": {"sync": "automatic"}, "mobu": {"sync": "manual"}}
    recording = run_stack("sandbox", changes={"applications": {"overrides": overrides}})
    (first_sync,) = recording.of("ApplicationPatch")
    assert first_sync.name == "cluster-applications-mobu-first-sync"
    specs = {name: application(recording, name)["spec"] for name in ("mobu", "portal", "tap")}
    assert {name: each["source"]["targetRevision"] for name, each in specs.items()} == {
        "mobu": COMMIT,
        "portal": COMMIT,
        "tap": "main",
    }
    assert [name for name, each in specs.items() if "syncPolicy" not in each] == ["mobu"]


@pytest.mark.parametrize("mode", SyncMode)
def test_an_application_that_is_not_awaited_delays_nothing(mode: SyncMode, run_stack: StackRunner) -> None:
    settings = {"sync": mode, "overrides": {"gafaelfawr": {"wait": False}}}
    recording = run_stack("sandbox", changes={"applications": settings})
    manual = mode is SyncMode.MANUAL
    kind, suffix = ("ApplicationPatch", "-first-sync") if manual else ("Application", "")
    waits = {
        name: json.loads(
            recording.one(kind, f"cluster-applications-{name}{suffix}").inputs["metadata"]["annotations"][
                "pulumi.com/waitFor"
            ]
        )
        for name in ("gafaelfawr", "tap")
    }
    assert waits["gafaelfawr"] == ["jsonpath={.metadata.uid}"]
    assert "jsonpath={.status.health.status}=Healthy" in waits["tap"]


@pytest.mark.parametrize("mode", SyncMode)
def test_a_change_of_the_timeout_updates_no_resource(mode: SyncMode, run_stack: StackRunner) -> None:
    short, long = (
        run_stack("sandbox", changes={"applications": {"sync": mode, "timeout": timeout}}) for timeout in (60, 3600)
    )
    assert compared(short) == compared(long)
    timeouts = long.one("Application", "cluster-applications-tap").request.customTimeouts
    assert (timeouts.create, timeouts.update, timeouts.delete) == ("3600s", "3600s", "3600s")
