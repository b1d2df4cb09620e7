"""A resource that a killed run was creating is recorded if it exists, and left to the next run if not."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from openstack.exceptions import HttpException

from recovery.document import UNREAD
from recovery.finder import Finder
from recovery.openstack import FINDERS
from recovery.pulumi_stack import PulumiError, PulumiStack
from recovery.recover import StackChangedError, StackLockedError, recover
from recovery.report import Outcome, Report
from recovery.services import SERVICES, Service
from tests.unit.recovery.conftest import CLOUD_STATE, NETWORK, Cloud, network, pending, resource
from tests.unit.recovery.fake_pulumi import FakePulumi, sealed

STACK = PulumiStack("test")


def outcomes(report: Report) -> dict[str, Outcome]:
    return {each.urn.rpartition("::")[2]: each.outcome for each in report.items}


def ids(pulumi: FakePulumi) -> dict[str, Any]:
    return {each["urn"].rpartition("::")[2]: each["id"] for each in pulumi.resources if each != CLOUD_STATE}


def test_an_existing_resource_is_recorded_and_refreshed(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("there"), network("never-created")))
    cloud.networks.update(there=["id-1"])
    report = recover(STACK)
    assert outcomes(report) == {"there": Outcome.RECORDED, "never-created": Outcome.ABSENT}
    assert ids(pulumi) == {"there": "id-1"}
    assert pulumi.pending == []
    (refresh,) = pulumi.called("refresh")
    assert [each for each in refresh if each.startswith("--target")] == [f"--target={network('there')['urn']}"]


@pytest.mark.parametrize("folder", ["", "vault"])
def test_what_was_recorded_but_not_refreshed_is_refreshed_by_the_next_recovery(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, folder: str
) -> None:
    """The refresh fails, or the process ends before."""
    (tmp_path / "vault").mkdir()
    monkeypatch.chdir(tmp_path)
    stack = PulumiStack("test", Path(folder))
    changed = {**network("changed"), "id": "id-2"}
    gone = {**network("gone"), "id": "id-3", "pendingReplacement": True}
    operations = [*pending("creating", network("there")), *pending("updating", changed, gone)]
    pulumi.write([CLOUD_STATE, changed, gone], operations)
    pulumi.fail("refresh", "error: the program failed")
    cloud.networks.update(there=["id-1"])
    with pytest.raises(PulumiError, match="the program failed") as raised:
        recover(stack)
    command = f"`python -m operations recover -s test{' -C vault' if folder else ''}`"
    assert command in str(raised.value)
    assert ids(pulumi) == {"changed": "id-2", "gone": "id-3", "there": "id-1"}
    pulumi.repair("refresh")
    assert outcomes(recover(stack, dry_run=True)) == {"changed": Outcome.REFRESHED, "there": Outcome.REFRESHED}
    recover(stack)
    first, second = pulumi.called("refresh")
    assert first == second
    assert [each.rpartition("::")[2] for each in first if each.startswith("--target")] == ["changed", "there"]
    assert recover(stack).items == []


def test_secrets_stay_encrypted_on_disk(pulumi: FakePulumi, cloud: Cloud) -> None:
    # The name is secret too, so the resource is found only if it was decrypted in memory.
    created = {**network("created"), "inputs": {"name": sealed("hidden-name"), "token": sealed("planted-token")}}
    pulumi.write([CLOUD_STATE], pending("creating", created))
    cloud.networks.update({"hidden-name": ["id-1"]})
    report = recover(STACK)
    assert ids(pulumi) == {"created": "id-1"}
    assert pulumi.resources[-1]["outputs"]["token"] == sealed("planted-token")
    assert "planted" not in pulumi.text
    assert "planted" not in report.as_json() + "".join(report.lines())


def test_a_resource_in_the_state_is_not_a_candidate(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE, {**network("old"), "id": "id-1"}], pending("creating", network("new")))
    cloud.networks.update(new=["id-1", "id-2"])
    recover(STACK)
    assert ids(pulumi) == {"old": "id-1", "new": "id-2"}


def test_several_candidates_are_undecided_and_nothing_is_recorded(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("twice"), network("once")))
    cloud.networks.update(twice=["id-1", "id-2"], once=["id-3"])
    report = recover(STACK)
    assert report.undecided
    lines = "\n".join(report.lines())
    assert "id-1, id-2" in lines
    assert "Nothing was recorded." in lines
    assert ids(pulumi) == {}
    assert len(pulumi.pending) == 2


def test_a_resource_with_another_description_is_undecided(pulumi: FakePulumi, cloud: Cloud) -> None:
    there = resource(NETWORK, "there", {"name": "there", "description": "Network of test"})
    pulumi.write([CLOUD_STATE], pending("creating", there))
    cloud.networks.update(there=["id-1"])
    cloud.description = "Network of prod"
    (item,) = recover(STACK).items
    assert item.outcome is Outcome.UNDECIDED
    assert "it exists, but its description differs: it is 'Network of prod', expected 'Network of test'" in item.message
    assert ids(pulumi) == {}
    cloud.description = "Network of test"
    assert outcomes(recover(STACK)) == {"there": Outcome.RECORDED}


def test_a_late_resource_is_found_by_a_later_attempt(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("late")))
    networks = cloud.network.networks

    def from_the_third_time_on(**query: str) -> list[Any]:
        found: list[Any] = networks(**query)
        return found if cloud.queries > 2 else []

    monkeypatch.setattr(cloud.network, "networks", from_the_third_time_on)
    cloud.networks.update(late=["id-1"])
    assert outcomes(recover(STACK)) == {"late": Outcome.RECORDED}


def test_the_changes_of_another_run_are_not_overwritten(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may begin and end while a recovery waits, for example for a cluster."""
    creation = pending("creating", network("there"))
    pulumi.write([CLOUD_STATE], creation)
    cloud.networks.update(there=["id-1"])
    networks = cloud.network.networks

    def meanwhile(**query: str) -> list[Any]:
        pulumi.write([CLOUD_STATE, {**network("other"), "id": "id-2"}], creation)
        found: list[Any] = networks(**query)
        return found

    monkeypatch.setattr(cloud.network, "networks", meanwhile)
    with pytest.raises(StackChangedError, match="run the same command again"):
        recover(STACK)
    assert ids(pulumi) == {"other": "id-2"}
    recover(STACK)
    assert ids(pulumi) == {"other": "id-2", "there": "id-1"}


def test_a_dry_run_changes_nothing(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("there")))
    pulumi.lock(f"root@{socket.gethostname()} (pid 999999999)")
    cloud.networks.update(there=["id-1"])
    before = pulumi.text
    report = recover(STACK, dry_run=True)
    assert "would be recorded (id-1)" in "\n".join(report.lines())
    assert pulumi.text == before
    assert pulumi.locked


@pytest.mark.usefixtures("cloud")
def test_a_repeatable_creation_is_not_searched_for(pulumi: FakePulumi) -> None:
    kinds = ["vault:index/token:Token", "pulumi:index:Stash", "pulumi:providers:vault", "kubernetes:apps/v1:X-Patch"]
    pulumi.write([CLOUD_STATE], pending("creating", *(resource(kind, kind, {}) for kind in kinds)))
    assert {each.outcome for each in recover(STACK).items} == {Outcome.REPEATED}
    assert pulumi.pending == []


@pytest.mark.usefixtures("cloud")
def test_an_unsupported_type_is_reported_and_does_not_block(pulumi: FakePulumi) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", resource("openstack:dns/zone:Zone", "zone", {})))
    report = recover(STACK)
    assert outcomes(report) == {"zone": Outcome.UNSUPPORTED}
    assert "pulumi import" in "\n".join(report.lines())
    assert not report.undecided


@pytest.mark.usefixtures("cloud")
def test_an_interrupted_update_or_deletion_is_refreshed(pulumi: FakePulumi) -> None:
    changed, removed, gone = ({**network(name), "id": name} for name in ("changed", "removed", "gone"))
    pulumi.write([CLOUD_STATE, changed, removed], [*pending("updating", changed), *pending("deleting", removed, gone)])
    assert set(outcomes(recover(STACK)).values()) == {Outcome.REFRESHED}
    (refresh,) = pulumi.called("refresh")
    assert [each for each in refresh if each.startswith("--target")] == [
        f"--target={each['urn']}" for each in (changed, removed)
    ]


def test_a_replaced_resource_is_marked_for_deletion(pulumi: FakePulumi, cloud: Cloud) -> None:
    old = {**network("replaced"), "id": "id-1"}
    dependant = {**network("dependant"), "id": "id-3", "dependencies": [old["urn"]]}
    pulumi.write([CLOUD_STATE, old, dependant], pending("creating", network("replaced")))
    cloud.networks.update(replaced=["id-1", "id-2"])
    recover(STACK)
    _, new, replaced, last = pulumi.resources
    assert (new["id"], new.get("delete")) == ("id-2", None)
    assert (replaced["id"], replaced["delete"]) == ("id-1", True)
    assert last["id"] == "id-3"


def test_a_resource_deleted_before_its_replacement_is_dropped(pulumi: FakePulumi, cloud: Cloud) -> None:
    old = {**network("replaced"), "id": "id-1", "pendingReplacement": True}
    pulumi.write([CLOUD_STATE, old], pending("creating", network("replaced")))
    cloud.networks.update(replaced=["id-2"])
    recover(STACK)
    assert ids(pulumi) == {"replaced": "id-2"}


def test_commands_for_the_vault_name_its_project(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Finder[Any](find=FINDERS[NETWORK].find, finish=lambda *_: "it is in status ERROR")
    monkeypatch.setattr("recovery.recover.OPENSTACK_FINDERS", {**FINDERS, NETWORK: failed})
    urn = "urn:pulumi:test::rsp-vault::rsp:index:N$x::begun"
    cloud.networks.update(begun=["id-1"])
    pulumi.write([CLOUD_STATE, {**network("begun"), "urn": urn, "id": "id-1", "initErrors": ["it failed"]}], [])
    commands = f"`pulumi state unprotect -s test -C vault '{urn}' && pulumi up -s test -C vault --replace '{urn}'`"
    assert commands in "\n".join(recover(STACK).lines())


def test_a_failing_service_leaves_the_state_unchanged(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    pulumi.write([CLOUD_STATE], pending("creating", network("there")))
    monkeypatch.setattr(cloud.network, "networks", Mock(side_effect=HttpException("Service Unavailable")))
    report = recover(STACK)
    assert outcomes(report) == {"there": Outcome.UNDECIDED}
    assert "the request to the service failed (Service Unavailable)" in "\n".join(report.lines())
    assert len(pulumi.pending) == 1


def test_nothing_is_read_while_an_operation_is_undecided(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    unread = {**network("unread"), "id": "id-2", "initErrors": [UNREAD]}
    pulumi.write([CLOUD_STATE, unread], pending("creating", network("there")))
    monkeypatch.setattr(cloud.network, "networks", Mock(side_effect=HttpException("Service Unavailable")))
    assert outcomes(recover(STACK)) == {"there": Outcome.UNDECIDED}
    assert pulumi.called("refresh") == []


def test_a_state_without_pending_operations_is_unchanged(pulumi: FakePulumi) -> None:
    report = recover(STACK)
    assert list(report.lines()) == ["No interrupted run was found: there is nothing to do."]
    assert [each[:2] for each in pulumi.calls] == [["whoami", "--json"], ["stack", "rename"], ["stack", "export"]]


def test_a_stale_lock_is_released(pulumi: FakePulumi) -> None:
    pulumi.lock(f"root@{socket.gethostname()} (pid 999999999)")
    report = recover(STACK)
    assert not pulumi.locked
    assert [each.pid for each in report.unlocked] == [999999999]


def test_the_lock_of_another_host_is_kept_unless_forced(pulumi: FakePulumi) -> None:
    pulumi.lock("someone@example.org@elsewhere (pid 1)")
    with pytest.raises(StackLockedError, match=r"someone@example\.org@elsewhere .*--force-unlock"):
        recover(STACK)
    assert pulumi.locked
    recover(STACK, force_unlock=True)
    assert not pulumi.locked


def test_the_lock_of_a_running_process_is_kept(pulumi: FakePulumi, running: int) -> None:
    pulumi.lock(f"root@{socket.gethostname()} (pid {running})", f"root@{socket.gethostname()} (pid 999999999)")
    with pytest.raises(StackLockedError, match=str(running)):
        recover(STACK)
    assert pulumi.locked


def test_a_missing_cli_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PulumiError, match="not on PATH"):
        recover(STACK)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[int]:
    """Yield the PID of a running process named pulumi."""
    program = tmp_path / "pulumi-running"
    shutil.copy2(shutil.which("sleep") or "sleep", program)
    process = subprocess.Popen([program, "60"])
    yield process.pid
    process.kill()
    process.wait()


@pytest.mark.usefixtures("cloud")
def test_a_creation_that_a_run_did_not_see_completed_is_refreshed(pulumi: FakePulumi) -> None:
    unfinished = {**network("unfinished"), "id": "id-1", "initErrors": ["503 for a query of the status"]}
    complete = {**network("complete"), "id": "id-2"}
    pulumi.write([CLOUD_STATE, unfinished, complete], [])
    report = recover(STACK)
    assert outcomes(report) == {"unfinished": Outcome.REFRESHED}
    (refresh,) = pulumi.called("refresh")
    assert [each for each in refresh if each.startswith("--target")] == [f"--target={unfinished['urn']}"]


@pytest.mark.parametrize("killed", [False, True])
def test_a_creation_that_has_failed_is_reported_with_the_commands_that_replace_it(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, *, killed: bool
) -> None:
    """Either a run saw that, or it was killed before."""
    failed = Finder[Any](find=FINDERS[NETWORK].find, finish=lambda *_: "it is in status CREATE_FAILED")
    monkeypatch.setattr("recovery.recover.OPENSTACK_FINDERS", {**FINDERS, NETWORK: failed})
    monkeypatch.setitem(SERVICES, "openstack", Service(SERVICES["openstack"].connect, {NETWORK: failed}.get))
    begun = {**network("begun"), "urn": "urn:pulumi:test::rsp::rsp:index:N$x::begun"}
    if killed:
        cloud.networks.update(begun=["id-1"])
        pulumi.write([CLOUD_STATE], pending("creating", begun))
    else:
        pulumi.write([CLOUD_STATE, {**begun, "id": "id-1", "initErrors": ["it failed"]}], [])
    report = recover(STACK)
    assert outcomes(report) == {"begun": Outcome.FAILED}
    assert report.failed
    urn = f"'{begun['urn']}'"
    commands = f"`pulumi state unprotect -s test {urn} && pulumi up -s test --replace {urn}`"
    assert f"it is in status CREATE_FAILED; once the cause is removed, {commands}" in "\n".join(report.lines())
    assert ids(pulumi) == {"begun": "id-1"}
    # It fails until the resource is replaced.
    assert outcomes(recover(STACK)) == {"begun": Outcome.FAILED}
    assert pulumi.called("refresh") == []
