"""Operations on resources are collected from the CLI's events."""

from typing import Any

from pulumi.automation.events import EngineEvent

from sandbox.pulumi_steps import Steps

URN = "urn:pulumi:sandbox::rsp::openstack:networking/network:Network::network"


def _event(kind: str, op: str, **further: Any) -> EngineEvent:
    metadata = {"op": op, "urn": URN, "type": "openstack:networking/network:Network", **further}
    return EngineEvent.from_json({kind: {"metadata": metadata}})


def _steps(*events: EngineEvent) -> list[dict[str, Any]]:
    steps = Steps()
    for event in events:
        steps.note(event)
    return steps.as_json()


def test_a_step_has_a_duration() -> None:
    (step,) = _steps(_event("resourcePreEvent", "create"), _event("resOutputsEvent", "create"))
    assert (step["op"], step["name"], step["type"], step["error"]) == (
        "create",
        "network",
        "openstack:networking/network:Network",
        None,
    )
    assert step["seconds"] >= 0


def test_an_unfinished_step_has_no_duration() -> None:
    (step,) = _steps(_event("resourcePreEvent", "create"))
    assert step["seconds"] is None


def test_changes_have_paths_and_no_values() -> None:
    changed = {
        "name": {"diffKind": "update-replace", "inputDiff": True},
        "tags": {"diffKind": "add", "inputDiff": True},
    }
    further = {"detailedDiff": changed, "old": {"inputs": {"name": "hidden"}}, "new": {"inputs": {"name": "hidden"}}}
    (step,) = _steps(_event("resourcePreEvent", "replace", **further))
    assert step["changes"] == [
        {"path": "name", "kind": "update", "replaces": True},
        {"path": "tags", "kind": "add", "replaces": False},
    ]
    assert "hidden" not in str(step)


def test_a_failure_has_its_reason() -> None:
    diagnostic = {"diagnosticEvent": {"urn": URN, "severity": "error", "message": "quota exceeded\n", "color": "never"}}
    (step,) = _steps(
        _event("resourcePreEvent", "create"),
        EngineEvent.from_json(diagnostic),
        _event("resOpFailedEvent", "create"),
    )
    assert step["error"] == "quota exceeded"
