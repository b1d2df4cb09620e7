"""The default workers get their number by the request that every driver of Magnum has."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from openstack.connection import Connection

from config.cloud import Cloud
from phalanx.errors import PhalanxError
from program import worker_resize
from tests import stack_config
from tests.unit.json_server import Request, json_server
from tests.unit.program.conftest import ROOT, StackRunner
from tests.unit.program.hooks import run_hook

VERSION = {"id": "v1", "status": "CURRENT", "max_version": "1.11", "links": [{"rel": "self", "href": "{url}"}]}
CLUSTER = "/clusters/cluster-uuid"
RESIZE = f"POST {CLUSTER}/actions/resize"

State = tuple[str, int, str]
"""Status of the workers, their number, and status of the cluster."""


@contextmanager
def magnum(states: list[State], accepted: tuple[int, Any], received: list[Request]) -> Iterator[None]:
    """Serve a cluster that has these states one after another."""
    answers: dict[str, tuple[int, Any]] = {"GET /": (200, {"versions": [VERSION]}), RESIZE: accepted}

    def pause(_: float) -> None:
        workers, count, cluster = states.pop(0)
        group = {"status": workers, "node_count": count, "status_reason": "no valid host"}
        answers[f"GET {CLUSTER}/nodegroups/default-worker"] = (200, group)
        answers[f"GET {CLUSTER}"] = (200, {"name": "rsp-test", "status": cluster, "status_reason": None})

    with json_server(answers, received) as url, pytest.MonkeyPatch.context() as patch:
        settings: Any = {"container_infrastructure_management_endpoint_override": url}
        connection = Connection(auth_type="none", endpoint=url, **settings)
        patch.setattr(worker_resize, "connect", lambda _, **__: connection)
        patch.setattr("time.sleep", pause)
        yield


def update(
    states: list[State],
    wanted: float,
    accepted: tuple[int, Any] = (202, {"uuid": "cluster-uuid"}),
) -> list[Request]:
    """Run the hook of an update of the cluster, and return the requests that it has sent."""
    received: list[Request] = []
    args: Any = SimpleNamespace(
        id="cluster-uuid", new_inputs={"nodeCount": wanted}, old_outputs={"nodeCount": 2.0, "name": "rsp-test"}
    )
    with magnum(states, accepted, received):
        run_hook(worker_resize.before_update(Cloud(name="rsp")), args)
    return received


def test_another_number_is_requested_and_awaited() -> None:
    states = [
        ("UPDATE_IN_PROGRESS", 3, "UPDATE_COMPLETE"),  # the driver is being called
        ("UPDATE_COMPLETE", 3, "UPDATE_IN_PROGRESS"),
        ("UPDATE_COMPLETE", 3, "UPDATE_COMPLETE"),
        ("DELETE_COMPLETE", 0, "DELETE_COMPLETE"),
    ]
    (request,) = [each for each in update(states, 3.0) if each.line == RESIZE]
    assert request.body == {"node_count": 3}
    assert states == [("DELETE_COMPLETE", 0, "DELETE_COMPLETE")]


def test_a_slow_conductor_is_awaited() -> None:
    states = [
        ("CREATE_COMPLETE", 2, "CREATE_COMPLETE"),
        ("CREATE_COMPLETE", 2, "CREATE_COMPLETE"),
        ("UPDATE_IN_PROGRESS", 3, "UPDATE_IN_PROGRESS"),
        ("UPDATE_COMPLETE", 3, "UPDATE_COMPLETE"),
    ]
    assert len([each for each in update(states, 3.0) if each.line == RESIZE]) == 1
    assert states == []


def test_an_update_of_something_else_sends_nothing() -> None:
    assert update([], 2.0) == []


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            ("UPDATE_FAILED", 2, "UPDATE_FAILED"),
            r"cluster rsp-test to 3 nodes \(no valid host\): the workers are in status UPDATE_FAILED with 2 nodes",
        ),
        (("CREATE_COMPLETE", 2, "CREATE_COMPLETE"), r"\(it gives no reason\): .* CREATE_COMPLETE with 2 nodes"),
        (("UPDATE_COMPLETE", 3, "UPDATE_FAILED"), r"\(it gives no reason\): .* the cluster is in UPDATE_FAILED"),
    ],
    ids=["failed", "not begun", "cluster failed"],
)
def test_a_resize_that_is_not_made_is_reported(state: State, message: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_resize, "_DELAY", 0)
    with pytest.raises(PhalanxError, match=f"^Magnum could not resize the default workers .*{message}"):
        update([state], 3)


def test_a_resize_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_resize, "_PATIENCE", 0)
    with pytest.raises(PhalanxError, match="the workers are in status UPDATE_IN_PROGRESS with 3 nodes"):
        update([("UPDATE_IN_PROGRESS", 3, "UPDATE_IN_PROGRESS")] * 3, 3)


@pytest.mark.parametrize(
    ("answer", "reason", "remedy"),
    [
        ((400, {"errors": [{"detail": "min_node_count = 3"}]}), "min_node_count = 3", "the reason is removed"),
        ((409, {"errors": ["in use"]}), "ConflictException: 409", "the reason is removed"),
        ((503, {}), "HttpException: 503", "the service is available"),
    ],
)
def test_a_refused_or_failed_request_is_reported(answer: tuple[int, Any], reason: str, remedy: str) -> None:
    with pytest.raises(PhalanxError) as caught:
        update([], 1, accepted=answer)
    assert str(caught.value).startswith(
        "cannot resize the default workers of the cluster cluster-uuid to 1: the request to the service failed "
        f"({reason}: "
    )
    assert str(caught.value).endswith(f"): run the same command again once {remedy}")


def test_a_cluster_that_is_gone_is_reported() -> None:
    with pytest.raises(PhalanxError, match=r"^Magnum has no cluster cluster-uuid any more: "):
        update([], 1, accepted=(404, {}))


@pytest.mark.parametrize(
    ("autoscaling", "hooks"),
    [(None, ["magnum-resize"]), ({"minimum": 1, "maximum": 5}, [])],
    ids=["fixed", "autoscaled"],
)
def test_only_workers_with_a_fixed_number_are_resized(
    autoscaling: Any, hooks: list[str], run_stack: StackRunner
) -> None:
    workers = {"flavor": "m1.medium", "count": 1, **({"autoscaling": autoscaling} if autoscaling else {})}
    cluster = json.loads(stack_config.load(ROOT, "sandbox")["rsp:clusters"])["cluster"]
    recording = run_stack(
        "sandbox", changes={"clusters": {"cluster": {**cluster, "workers": workers, "nodeGroups": {}}}}
    )
    assert [*recording.one("Cluster").request.hooks.before_update] == hooks
