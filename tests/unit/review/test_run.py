"""Event logs that are not those of a complete run; complete ones are in ``data``."""

import json
from pathlib import Path
from typing import Any

import pytest

from review import changes, run
from review.run import Diagnostic, EventLogError, Run
from review.values import SECRET, UNKNOWN, Difference, PlaintextSecretsError, differences, shown

STACK_URN = "urn:pulumi:roe::rsp::pulumi:pulumi:Stack::rsp-roe"
SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET_VALUE = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
PLAINTEXT = {SIGNATURE: "1b47061264138c4ac30d75fd1eb44270", "plaintext": '"planted"'}


def step(operation: str, name: str = "server", **metadata: Any) -> dict[str, Any]:
    """Return the metadata of an operation."""
    urn = f"urn:pulumi:roe::rsp::openstack:compute/instance:Instance::{name}"
    return {"op": operation, "urn": urn, "type": "openstack:compute/instance:Instance", **metadata}


def parse(*events: dict[str, Any]) -> Run:
    return run.parse([json.dumps(each) for each in events], "roe", "events.jsonl")


def diagnostic(message: str, severity: str = "error", **more: Any) -> dict[str, Any]:
    return {"diagnosticEvent": {"message": message, "severity": severity, "color": "never", **more}}


def test_a_missing_file_is_reported_with_the_command_that_writes_it(tmp_path: Path) -> None:
    with pytest.raises(EventLogError, match="PULUMI_DEBUG_COMMANDS=true pulumi preview --event-log"):
        run.read(tmp_path / "events.jsonl", "roe")


@pytest.mark.parametrize("text", [b"Previewing update (roe):\n", b"[]\n{}\n", b"1\n", b"\xff\xfe"])
def test_another_file_is_refused(tmp_path: Path, text: bytes) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(text)
    with pytest.raises(EventLogError, match=r"events\.jsonl"):
        run.read(file, "roe")


def test_the_log_of_another_stack_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_text(json.dumps({"resourcePreEvent": {"metadata": step("create")}}))
    with pytest.raises(EventLogError, match="the stack 'roe', expected 'other'"):
        run.read(file, "other")


def test_a_log_that_ends_within_a_line_is_that_of_a_killed_run() -> None:
    event = json.dumps({"resourcePreEvent": {"metadata": step("create")}})
    found = run.parse([event, event[:30]], "roe", "events.jsonl")
    assert not found.succeeded
    assert [each.name for each in found.steps] == ["server"]


def test_an_empty_log_is_that_of_a_failed_run() -> None:
    assert parse() == Run(stack="roe", preview=True, succeeded=False, counts={}, steps=[], diagnostics=[])


@pytest.mark.parametrize("place", ["inputs", "outputs"])
def test_a_log_with_secrets_in_plaintext_is_refused(place: str) -> None:
    state = {"outputs" if place == "outputs" else "inputs": {"list": [{"password": PLAINTEXT}]}}
    kind = "pulumi:pulumi:Stack" if place == "outputs" else "t:index:T"
    metadata = {"op": "update", "urn": STACK_URN, "type": kind, "old": None, "new": state}
    with pytest.raises(PlaintextSecretsError, match="without --show-secrets") as caught:
        parse({"resOutputsEvent": {"metadata": metadata}})
    assert "planted" not in str(caught.value)


def test_secrets_and_unknown_values_are_replaced() -> None:
    unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
    assert shown({"a": [SECRET_VALUE, unknown, 1, None], "b": {"c": True}}) == {
        "a": [SECRET, UNKNOWN, 1, None],
        "b": {"c": True},
    }


def test_parts_of_a_replacement_are_one_operation() -> None:
    detailed = {"imageId": {"diffKind": "update-replace"}, "name": {"diffKind": "update"}}
    steps = [
        step("create-replacement", new={}),
        step("replace", old={"protect": True}, new={}, detailedDiff=detailed),
        step("delete-replaced", old={}),
    ]
    (found,) = parse(*({"resOutputsEvent": {"metadata": each}} for each in steps)).steps
    assert found.operation == "replace"
    assert found.protected
    assert [(each.path, each.replaces) for each in found.changes] == [("imageId", True), ("name", False)]


def test_the_keys_of_a_replacement_are_used_without_a_detailed_difference() -> None:
    metadata = step("replace", keys=["imageId"], diffs=["imageId", "name"], detailedDiff=None)
    (found,) = parse({"resOutputsEvent": {"metadata": metadata}}).steps
    assert [(each.path, each.replaces) for each in found.changes] == [("imageId", True), ("name", False)]


def test_a_failed_operation_is_marked() -> None:
    (found,) = parse({"resOpFailedEvent": {"metadata": step("update")}}).steps
    assert found.failed


def test_reads_and_refreshes_change_nothing() -> None:
    assert parse(*({"resOutputsEvent": {"metadata": step(each)}} for each in ("same", "read", "refresh"))).steps == []


def test_what_a_refresh_found_does_not_count_if_the_program_accepts_it() -> None:
    accepted = [step("update"), step("same")]
    reverted = [step("update", "other"), step("update", "other"), step("delete", "gone"), step("create", "gone")]
    found = parse(*({"resOutputsEvent": {"metadata": each}} for each in (*accepted, *reverted)))
    assert [(each.name, each.operation) for each in found.steps] == [("other", "update"), ("gone", "create")]


def test_messages_have_neither_colors_nor_repetitions() -> None:
    urn = step("update")["urn"]
    events = [
        diagnostic("<{%fg 1%}>bad<{%reset%}> \x1b[31mimage\x1b[0m\n", urn=urn),
        diagnostic("bad image", urn=urn),
        diagnostic("of the stack", urn=STACK_URN),
        diagnostic("registering", "debug"),
        diagnostic("waiting", "info", ephemeral=True),
        diagnostic("\n", "info"),
        diagnostic("an unhandled error occurred: program exited with non-zero exit code: 1\n"),
        diagnostic("<{%reset%}>Resource monitor has terminated, shutting down<{%reset%}>\n"),
        diagnostic("preview failed\n"),
        {"errorEvent": {"error": "the engine failed"}},
    ]
    assert parse(*events).diagnostics == [
        Diagnostic(severity="error", message="bad image", resource="server"),
        Diagnostic(severity="error", message="of the stack", resource=""),
        Diagnostic(severity="error", message="the engine failed", resource=""),
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": {"b": 1}}, {"a": {"b": 2}}, [Difference("a.b", 1, 2)]),
        ({"a": 1}, {}, [Difference("a", 1, None)]),
        ({}, {"x.y/z": {"b": 1}}, [Difference('["x.y/z"]', None, {"b": 1})]),
        ({"a": [1, 2, 3]}, {"a": [1, 3, 4]}, [Difference("a", [2], [4])]),
        ({"a": [1, 2]}, {"a": [2, 1]}, [Difference("a", [1, 2], [2, 1])]),
        ({"a": [1]}, {"a": [1, 1]}, [Difference("a", [1], [1, 1])]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [Difference("a[1].b", 2, 3)]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 3}]}, [Difference("a", None, [{"b": 3}])]),
        ({"a": [1]}, {"a": "text"}, [Difference("a", [1], "text")]),
    ],
)
def test_differences_have_the_path_of_the_leaf(old: Any, new: Any, expected: list[Difference]) -> None:
    assert list(differences(old, new)) == expected


def test_only_stashes_of_secrets_are_generated_secrets() -> None:
    """Resources of the same type keep requested rotations, and, of other components, keys, addresses and IDs."""
    names = {
        "secrets-tap-password": "SecretStore",
        "secrets-rotation": "SecretStore",
        "created-with-cloud.name": "ImmutableKeys",
    }
    events = [
        {
            "op": "create",
            "urn": f"urn:pulumi:roe::rsp::rsp:index:{parent}$pulumi:index:Stash::{name}",
            "type": "pulumi:index:Stash",
        }
        for name, parent in names.items()
    ]
    found = changes.of_run(parse(*({"resourcePreEvent": {"metadata": each}} for each in events)))
    assert [(each.name, each.generated) for each in found.secrets] == [("secrets-tap-password", True)]
    assert [each.name for each in found.others] == ["secrets-rotation", "created-with-cloud.name"]
