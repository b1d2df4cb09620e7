"""What a killed run was making is recorded if it is there, and left to the next run if it is not."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.exceptions import HttpException

from operations.recovery.pulumi_stack import PulumiError, PulumiStack
from operations.recovery.recover import StackLockedError, adopt, recover
from operations.recovery.report import Outcome, Report
from tests.unit.operations.recovery.conftest import CLOUD_STATE, Cloud, network, pending, resource
from tests.unit.operations.recovery.fake_pulumi import FakePulumi, sealed

STACK = PulumiStack("test")


def outcomes(report: Report) -> dict[str, Outcome]:
    return {each.urn.rpartition("::")[2]: each.outcome for each in report.items}


def ids(pulumi: FakePulumi) -> dict[str, Any]:
    return {each["urn"].rpartition("::")[2]: each["id"] for each in pulumi.resources if each != CLOUD_STATE}


def test_what_is_there_is_recorded_and_read(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("there"), network("never-made")))
    cloud.there.update(there=["id-1"])
    report = recover(STACK)
    assert outcomes(report) == {"there": Outcome.RECORDED, "never-made": Outcome.ABSENT}
    assert ids(pulumi) == {"there": "id-1"}
    assert pulumi.pending == []
    (refresh,) = pulumi.called("refresh")
    assert [each for each in refresh if each.startswith("--target")] == [f"--target={network('there')['urn']}"]


def test_secrets_stay_sealed_on_disk(pulumi: FakePulumi, cloud: Cloud) -> None:
    # The name is secret here, so that it must have been in clear in memory to be found.
    made = {**network("made"), "inputs": {"name": sealed("hidden-name"), "token": sealed("planted-token")}}
    pulumi.write([CLOUD_STATE], pending("creating", made))
    cloud.there.update({"hidden-name": ["id-1"]})
    report = recover(STACK)
    assert ids(pulumi) == {"made": "id-1"}
    assert pulumi.resources[-1]["outputs"]["token"] == sealed("planted-token")
    assert "planted" not in pulumi.text
    assert "planted" not in report.as_json() + "".join(report.lines())


def test_what_the_state_has_is_not_it(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE, {**network("old"), "id": "id-1"}], pending("creating", network("new")))
    cloud.there.update(new=["id-1", "id-2"])
    recover(STACK)
    assert ids(pulumi) == {"old": "id-1", "new": "id-2"}


def test_of_several_none_is_guessed_and_nothing_recorded(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("twice"), network("once")))
    cloud.there.update(twice=["id-1", "id-2"], once=["id-3"])
    report = recover(STACK)
    assert report.undecided
    assert "id-1, id-2" in "\n".join(report.lines())
    assert ids(pulumi) == {}
    assert len(pulumi.pending) == 2


def test_a_service_may_be_late(pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("late")))
    networks = cloud.network.networks

    def from_the_third_time_on(**query: str) -> list[Any]:
        found: list[Any] = networks(**query)
        return found if cloud.asked > 2 else []

    monkeypatch.setattr(cloud.network, "networks", from_the_third_time_on)
    cloud.there.update(late=["id-1"])
    assert outcomes(recover(STACK)) == {"late": Outcome.RECORDED}


def test_a_dry_run_changes_nothing(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("there")))
    pulumi.lock(f"root@{socket.gethostname()} (pid 999999999)")
    cloud.there.update(there=["id-1"])
    before = pulumi.text
    report = recover(STACK, dry_run=True)
    assert "would be recorded (id-1)" in "\n".join(report.lines())
    assert "would be taken away" in "\n".join(report.lines())
    assert pulumi.text == before
    assert pulumi.locked


@pytest.mark.usefixtures("cloud")
def test_what_may_be_made_again_is_not_looked_for(pulumi: FakePulumi) -> None:
    kinds = ["vault:index/token:Token", "pulumi:index:Stash", "pulumi:providers:vault", "kubernetes:apps/v1:X-Patch"]
    pulumi.write([CLOUD_STATE], pending("creating", *(resource(kind, kind, {}) for kind in kinds)))
    assert {each.outcome for each in recover(STACK).items} == {Outcome.AGAIN}
    assert pulumi.pending == []


@pytest.mark.usefixtures("cloud")
def test_an_unknown_type_is_named_and_does_not_stand_in_the_way(pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", resource("openstack:dns/zone:Zone", "zone", {})))
    report = recover(STACK)
    assert outcomes(report) == {"zone": Outcome.UNCOVERED}
    assert "pulumi import" in "\n".join(report.lines())
    assert not report.undecided


@pytest.mark.usefixtures("cloud")
def test_what_was_changed_or_removed_is_read_again(pulumi: FakePulumi) -> None:
    changed, removed, gone = ({**network(name), "id": name} for name in ("changed", "removed", "gone"))
    pulumi.write([CLOUD_STATE, changed, removed], [*pending("updating", changed), *pending("deleting", removed, gone)])
    assert set(outcomes(recover(STACK)).values()) == {Outcome.READ}
    (refresh,) = pulumi.called("refresh")
    assert [each for each in refresh if each.startswith("--target")] == [
        f"--target={each['urn']}" for each in (changed, removed)
    ]


def test_the_replaced_one_is_left_to_be_deleted(pulumi: FakePulumi, cloud: Cloud) -> None:
    old = {**network("replaced"), "id": "id-1"}
    dependant = {**network("dependant"), "id": "id-3", "dependencies": [old["urn"]]}
    pulumi.write([CLOUD_STATE, old, dependant], pending("creating", network("replaced")))
    cloud.there.update(replaced=["id-1", "id-2"])
    recover(STACK)
    _, new, replaced, last = pulumi.resources
    assert (new["id"], new.get("delete")) == ("id-2", None)
    assert (replaced["id"], replaced["delete"]) == ("id-1", True)
    assert last["id"] == "id-3"


def test_one_that_was_deleted_to_be_made_anew_is_no_more(pulumi: FakePulumi, cloud: Cloud) -> None:
    old = {**network("replaced"), "id": "id-1", "pendingReplacement": True}
    pulumi.write([CLOUD_STATE, old], pending("creating", network("replaced")))
    cloud.there.update(replaced=["id-2"])
    recover(STACK)
    assert ids(pulumi) == {"replaced": "id-2"}


def test_a_service_that_fails_leaves_all_as_it_is(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(**_: str) -> None:
        raise HttpException("Service Unavailable")

    pulumi.write([CLOUD_STATE], pending("creating", network("there")))
    monkeypatch.setattr(cloud.network, "networks", fail)
    report = recover(STACK)
    assert outcomes(report) == {"there": Outcome.UNDECIDED}
    assert "does not answer" in "\n".join(report.lines())
    assert len(pulumi.pending) == 1


def test_without_anything_pending_the_state_is_left_alone(pulumi: FakePulumi) -> None:
    report = recover(STACK)
    assert list(report.lines()) == ["No run was cut off: there is nothing to do."]
    assert [each[:2] for each in pulumi.calls] == [["stack", "rename"], ["stack", "export"]]


def test_a_stale_lock_is_taken_away(pulumi: FakePulumi) -> None:
    pulumi.lock(f"root@{socket.gethostname()} (pid 999999999)")
    report = recover(STACK)
    assert not pulumi.locked
    assert [each.pid for each in report.unlocked] == [999999999]


def test_the_lock_of_another_host_is_left_unless_forced(pulumi: FakePulumi) -> None:
    pulumi.lock("someone@example.org@elsewhere (pid 1)")
    with pytest.raises(StackLockedError, match=r"someone@example\.org@elsewhere .*--force-unlock"):
        recover(STACK)
    assert pulumi.locked
    recover(STACK, force_unlock=True)
    assert not pulumi.locked


def test_the_lock_of_a_run_at_work_is_left(pulumi: FakePulumi, at_work: int) -> None:
    pulumi.lock(f"root@{socket.gethostname()} (pid {at_work})", f"root@{socket.gethostname()} (pid 999999999)")
    with pytest.raises(StackLockedError, match=str(at_work)):
        recover(STACK)
    assert pulumi.locked


def test_without_the_cli_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PulumiError, match="not on PATH"):
        recover(STACK)


def test_what_the_program_would_make_and_is_there_is_adopted_round_by_round(pulumi: FakePulumi, cloud: Cloud) -> None:
    component = {
        "urn": "urn:pulumi:test::rsp::rsp:index:Network::network",
        "type": "rsp:index:Network",
        "custom": False,
    }
    outer = {**network("outer"), "parent": component["urn"], "propertyDependencies": {"name": []}}
    unknown = {**network("inner"), "inputs": {"name": "04da6b54-80e4-46f7-96ec-b56ff0331ba9"}}
    inner = {**network("inner"), "dependencies": [outer["urn"]]}
    pulumi.plan([component, outer, unknown, inner], [inner])
    cloud.there.update(outer=["id-1"], inner=["id-2"])
    report = adopt(STACK)
    assert outcomes(report) == {"outer": Outcome.RECORDED, "inner": Outcome.RECORDED}
    assert [each["urn"] for each in pulumi.resources[1:]] == [component["urn"], outer["urn"], inner["urn"]]


def test_a_plan_of_new_things_is_nothing_to_report(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.plan([network("new"), resource("vault:index/token:Token", "token", {})])
    assert adopt(STACK).items == []
    assert cloud.asked == 1
    assert pulumi.called("stack", "import") == []


@pytest.fixture
def at_work(tmp_path: Path) -> Iterator[int]:
    """Process id of something that is called pulumi."""
    program = tmp_path / "pulumi-at-work"
    shutil.copy2(shutil.which("sleep") or "sleep", program)
    process = subprocess.Popen([program, "60"])
    yield process.pid
    process.kill()
    process.wait()
