"""Operations in Magnum that the provider takes for ended or failed before Magnum has begun them."""

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure

from config.cloud import Cloud
from phalanx.errors import PhalanxError
from probes import openstack_api
from probes.openstack_connection import LoginError
from program import magnum_updates
from tests.unit.openstack_server import openstack_server
from tests.unit.program.hooks import run_hook

EARLY = "error waiting: unexpected state 'CREATE_COMPLETE', wanted target '{}'. last error: %!s(<nil>)"
LATE = "error waiting: timeout while waiting for state to become 'UPDATE_COMPLETE' (last state: 'UPDATE_IN_PROGRESS')"
INPUTS = {"clusterId": "cluster-uuid", "name": "labs"}


def repeated(error: str, statuses: list[str], monkeypatch: pytest.MonkeyPatch) -> bool:
    """Ask whether to repeat an operation, while the cluster has these statuses one after another, then none."""
    with magnum(statuses, monkeypatch) as cloud:
        return magnum_updates.repeat_once_ended(cloud, INPUTS, error)


@contextmanager
def magnum(statuses: list[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    answers: dict[str, tuple[int, Any]] = {}
    path = f"GET /clusters/{INPUTS['clusterId']}"

    def pause(_: float) -> None:
        answers.pop(path, None)
        if statuses:
            answers[path] = (200, {"status": statuses.pop(0)})

    monkeypatch.setattr("time.sleep", pause)
    with openstack_server(answers) as connection:
        monkeypatch.setattr(magnum_updates, "connect", lambda _, **__: connection)
        yield Cloud(name="rsp")


@pytest.mark.parametrize("wanted", ["UPDATE_COMPLETE", "DELETE_COMPLETE"])
def test_an_operation_is_repeated_once_magnum_has_ended_it(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = ["UPDATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "CREATE_FAILED"]
    assert repeated(EARLY.format(wanted), statuses, monkeypatch)
    assert statuses == ["CREATE_FAILED"]


def test_a_cluster_that_is_gone_is_not_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert repeated(EARLY.format("DELETE_COMPLETE"), [], monkeypatch)


def test_other_errors_are_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not repeated(LATE, ["UPDATE_COMPLETE"], monkeypatch)
    assert not repeated(EARLY.format("CREATE_COMPLETE"), ["UPDATE_COMPLETE"], monkeypatch)


def update(statuses: list[str], monkeypatch: pytest.MonkeyPatch, **args: Any) -> None:
    """Wait for the end of an update, while the cluster has these statuses one after another."""
    with magnum(statuses, monkeypatch) as cloud:
        run_hook(
            magnum_updates.updated(cloud), SimpleNamespace(**{"id": "id-of-the-group", "new_inputs": INPUTS, **args})
        )


@pytest.mark.parametrize("args", [{}, {"id": "cluster-uuid", "new_inputs": {"nodeCount": 4}}], ids=["group", "cluster"])
def test_an_update_lasts_until_magnum_has_ended_it(args: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    statuses = ["UPDATE_IN_PROGRESS", "UPDATE_COMPLETE", "CREATE_FAILED"]
    update(statuses, monkeypatch, **args)
    assert statuses == ["CREATE_FAILED"]


def test_an_operation_that_does_not_end_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(magnum_updates, "_PATIENCE", 0)
    expected = "^the cluster cluster-uuid is still in status UPDATE_IN_PROGRESS after 0 minutes: "
    with pytest.raises(PhalanxError, match=expected):
        repeated(EARLY.format("UPDATE_COMPLETE"), ["UPDATE_IN_PROGRESS"] * 3, monkeypatch)


def test_an_error_of_magnum_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openstack_api, "get", Mock(side_effect=ConnectFailure("no answer")))
    expected = "^cannot determine whether Magnum has changed the cluster cluster-uuid: .*no answer"
    with pytest.raises(PhalanxError, match=expected):
        repeated(EARLY.format("UPDATE_COMPLETE"), [], monkeypatch)


def test_an_update_that_fails_later_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = (
        r"^Magnum could not update the cluster cluster-uuid: .*resize --nodegroup default-worker cluster-uuid COUNT"
    )
    with pytest.raises(PhalanxError, match=expected):
        update(["UPDATE_IN_PROGRESS", "UPDATE_FAILED"], monkeypatch)


def test_an_unreachable_cloud_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_CLIENT_CONFIG_FILE", "/nonexistent")
    monkeypatch.setattr("time.sleep", lambda _: None)
    with pytest.raises(LoginError, match="Cloud unknown was not found"):
        magnum_updates.repeat_once_ended(Cloud(name="unknown"), INPUTS, EARLY.format("UPDATE_COMPLETE"))
