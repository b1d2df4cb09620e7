"""Age of the last good backup of each volume."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from probes.cinder_backups import Source
from probes.health import backups
from probes.health.finding import State
from tests.unit.fake_cinder import FakeCinder
from tests.unit.sample import environment

ONE = {"kind": "snapshot", "volumes": ["data"]}


def judged(cinder: FakeCinder, **changes: Any) -> dict[str, tuple[State, str]]:
    connection: Any = SimpleNamespace(block_storage=cinder)
    found = backups.check(connection, environment(**changes), "test", datetime.now(UTC))
    return {each.subject: (each.state, each.message) for each in found}


@pytest.fixture
def cinder() -> FakeCinder:
    fake = FakeCinder()
    created = (fake.now - timedelta(days=30)).isoformat()
    fake.add("volume", "rsp-test-nfs-data", "in-use", created_at=created)
    return fake


@pytest.mark.parametrize(
    ("hours", "state", "text"),
    [
        (8, State.OK, "1, the last good one is 8 hours old"),
        (32, State.WARNING, "the last good one is 32 hours old"),
        (96, State.CRITICAL, "the last good one is 4 days old"),
    ],
)
def test_the_age_of_the_last_good_one_decides(cinder: FakeCinder, hours: int, state: State, text: str) -> None:
    cinder.made("snapshot", cinder.volumes()[0], hours)
    assert judged(cinder, backups=ONE) == {"backups of data": (state, text)}


def test_a_newer_one_that_failed_is_a_warning_with_its_reason(cinder: FakeCinder) -> None:
    cinder.made("backup", cinder.volumes()[0], 26)
    cinder.made("backup", cinder.volumes()[0], 2, "error", fail_reason="no space")
    state, text = judged(cinder, backups=ONE)["backups of data"]
    assert state is State.WARNING
    assert text.endswith("has status error: no space")


def test_a_volume_without_backups_is_critical_unless_it_is_new(cinder: FakeCinder) -> None:
    assert judged(cinder, backups=ONE)["backups of data"] == (State.CRITICAL, "there is no good one")
    cinder.volumes()[0].created_at = cinder.now.isoformat()
    assert judged(cinder, backups=ONE)["backups of data"][0] is State.OK
    cinder.existing.clear()
    state, text = judged(cinder, backups=ONE)["backups of data"]
    assert (state, text.splitlines()[1]) == (
        State.CRITICAL,
        "no other can be made: there is no such volume in Cinder",
    )


def test_a_stack_without_backups_is_a_warning(cinder: FakeCinder) -> None:
    assert judged(cinder)["backups"][0] is State.WARNING


def test_shares_are_a_warning_whatever_is_backed_up(cinder: FakeCinder) -> None:
    shares = {"results": {"size": 1}, "scratch": {"size": 1}}
    assert "backups of shares" not in judged(cinder, backups=ONE)
    for changes in ({}, {"backups": ONE}):
        found = judged(cinder, **changes, shares=shares)["backups of shares"]
        assert found == (State.WARNING, "this program backs up no shares: results, scratch")


def test_expired_ones_that_remain_are_counted(cinder: FakeCinder) -> None:
    for age in (2, 26, 50):
        cinder.made("snapshot", cinder.volumes()[0], age)
    keep = {"daily": 1, "weekly": 0}
    assert judged(cinder, backups={**ONE, "keep": keep})["backups of data"][1].endswith("; 2 expired")


def test_a_volume_that_does_not_exist_has_no_age() -> None:
    source = Source(name="data", volume=None, flaw="gone")
    assert backups.judge(source, [], set(), "test", datetime.now(UTC)).state is State.CRITICAL
