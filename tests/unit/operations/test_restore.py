"""Volumes are restored from backups by the command."""

import re
from collections.abc import Callable, Iterable
from typing import Any
from unittest.mock import Mock

import pytest
from openstack.exceptions import HttpException

from recovery import backups as recovery_backups
from recovery.pulumi_stack import PulumiError, PulumiStack
from tests.unit.fake_cinder import FakeCinder
from tests.unit.operations.backup_command import cinder, results, run

__all__ = ["cinder"]


URN = "urn:pulumi:test::rsp::rsp:index:NfsServer$openstack:blockstorage/volume:Volume::nfs-data"


class State:
    """The state of the stack, which has the volume of the export data."""

    def __init__(self, volume_id: str) -> None:
        volume = {"urn": URN, "type": "openstack:blockstorage/volume:Volume", "id": volume_id, "outputs": {"size": 100}}
        self.document: dict[str, Any] = {"deployment": {"resources": [volume]}}
        self.refreshed: list[str] = []
        self.locked = self.unreadable = False

    @property
    def volume_id(self) -> str:
        return str(self.document["deployment"]["resources"][0]["id"])

    def replace(self, document: dict[str, Any]) -> None:
        if self.locked:
            raise PulumiError("the stack is locked")
        self.document = document

    def refresh(self, urns: Iterable[str]) -> None:
        if self.unreadable:
            raise PulumiError("503 Service Unavailable")
        self.refreshed += urns
        self.document["deployment"]["resources"][0].pop("initErrors")


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, cinder: FakeCinder) -> State:
    found = State(cinder.volumes()[0].id)
    monkeypatch.setattr(PulumiStack, "export", lambda _self: found.document)
    monkeypatch.setattr(PulumiStack, "replace", lambda _self, document: found.replace(document))
    monkeypatch.setattr(PulumiStack, "refresh", lambda _self, urns: found.refresh(urns))
    return found


def test_a_restored_volume_takes_the_name_and_the_place_in_the_state(cinder: FakeCinder, state: State) -> None:
    before = cinder.volumes()[0]
    for at in ("2026-01-01T23:00:00.5", "2026-01-02T03:00:00.5", "2026-01-02T23:00:00.5", "2026-01-03T03:00:00.5"):
        cinder.made("snapshot", before, 0, created_at=at)
    first, _, wanted, _ = cinder.snapshots()
    plan = results("restore", "data", "--time", "2026-01-02T03:00", "--dry-run")
    assert plan[0]["backup"]["id"] == first.id
    done = run("restore", "data", "--time", "2026-01-02", "--yes")
    assert done.exit_code == 0, done.output
    (restored,) = [each for each in cinder.volumes() if each.name == "rsp-test-nfs-data"]
    assert restored.id != before.id
    assert restored.size == 100
    assert restored.snapshot_id == wanted.id
    assert restored.description == "NFS export /data of the Rubin Science Platform (test)"
    assert before.name.startswith("rsp-test-nfs-data-replaced-")
    assert (state.volume_id, state.refreshed) == (restored.id, [URN])
    assert "`pulumi up -s test` replaces the VM of the NFS server" in done.stdout
    assert before.name in done.stdout


def test_the_newest_good_backup_is_restored_into_a_volume_of_the_configured_type(
    cinder: FakeCinder, state: State
) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 30)
    newest = cinder.made("backup", data, 6)
    cinder.made("backup", data, 1, "error")
    assert run("restore", "data", "-y").exit_code == 0
    restored = cinder.existing[state.volume_id]
    assert (restored.content, restored.volume_type, restored.availability_zone) == (
        newest.id,
        "ceph-hdd",
        "nova",
    )
    assert restored.metadata["rsp_restored_from"] == newest.id


def test_an_interrupted_restore_is_continued(cinder: FakeCinder, state: State) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 6)
    cinder.stuck = True
    assert run("restore", "data", "-y", "--timeout", "0").exit_code == 1
    cinder.stuck = False
    state.locked = True
    failed = run("restore", "data", "-y")
    assert failed.exit_code == 1
    assert "data: failed: the stack is locked" in failed.stdout
    assert state.volume_id == data.id
    state.locked = False
    done = run("restore", "data", "-y")
    assert done.exit_code == 0, done.output
    assert "data: continue to restore backup" in done.stdout
    assert len(cinder.volumes()) == 3
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"


@pytest.mark.parametrize("renamed", [0, 1])
def test_a_restore_is_continued_until_the_volume_has_its_name(
    cinder: FakeCinder, state: State, monkeypatch: pytest.MonkeyPatch, renamed: int
) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 6)
    answers: list[Callable[..., None]] = [
        *[cinder.update_volume] * renamed,
        Mock(side_effect=HttpException("503 Service Unavailable")),
    ]
    with monkeypatch.context() as failing:
        failing.setattr(cinder, "update_volume", lambda id_, name: answers.pop(0)(id_, name=name))
        assert run("restore", "data", "-y").exit_code == 1
    assert state.refreshed == []
    assert run("restore", "data", "-y").exit_code == 0
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"
    assert data.name.startswith("rsp-test-nfs-data-replaced-")
    assert len(cinder.volumes()) == 3
    assert state.refreshed == [URN]


def test_a_restore_whose_new_volume_was_not_read_yet_is_not_repeated(cinder: FakeCinder, state: State) -> None:
    cinder.made("backup", cinder.volumes()[0], 6)
    state.unreadable = True
    failed = run("restore", "data", "-y")
    assert failed.exit_code == 1
    assert re.search(
        r"data: failed: .*503 Service Unavailable\n.*`python -m operations recover -s test`", failed.stdout
    )
    state.unreadable = False
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"
    cinder.made("backup", cinder.existing[state.volume_id], 1)
    for options in ((), ("--time", "2999-01-01")):
        repeated = run("restore", "data", "-y", *options)
        assert "`python -m operations recover -s test` completes the interrupted restore" in str(repeated.exception)
    assert len(cinder.restored) == 1


def test_a_lost_volume_is_restored_although_the_stack_was_locked(cinder: FakeCinder, state: State) -> None:
    for each in cinder.volumes():
        cinder.made("backup", each, 6)
    del cinder.existing[state.volume_id]
    state.locked = True
    assert run("restore", "--missing", "-y").exit_code == 1
    state.locked = False
    assert run("restore", "--missing", "-y").exit_code == 0
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"


def test_another_backup_can_be_restored_after_an_interruption(cinder: FakeCinder, state: State) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 6)
    state.locked = True
    run("restore", "data", "-y")
    state.locked = False
    newer = cinder.made("backup", data, 1)
    assert run("restore", "data", "-y", "--time", "2999-01-01").exit_code == 0
    assert cinder.existing[state.volume_id].content == newer.id


def test_pending_operations_are_not_removed_from_the_state(cinder: FakeCinder, state: State) -> None:
    cinder.made("backup", cinder.volumes()[0], 6)
    state.document["deployment"]["pending_operations"] = [{"type": "creating", "resource": {}}]
    refused = run("restore", "data", "-y")
    assert "run `python -m operations recover -s test`; then run the same command again" in str(refused.exception)
    assert cinder.restored == []


@pytest.mark.parametrize("metadata", [{}, {"own": "metadata"}, {"rsp_volume": "data", "rsp_restored_from": "other"}])
@pytest.mark.parametrize("unattended", [False, True])
def test_a_backup_is_not_restored_again_after_an_interruption(
    cinder: FakeCinder, state: State, metadata: dict[str, str], *, unattended: bool
) -> None:
    data = cinder.volumes()[0]
    data.metadata = metadata
    backup = cinder.made("backup", data, 6)
    cinder.stuck = True
    run("restore", "data", "-y", "--timeout", "0")
    volume = cinder.volumes()[-1]
    volume.status = "available"
    assert cinder.restored == []
    interrupted = run("restore", "data", "-y", "--timeout", "0")
    assert "is still restoring-backup; the same command continues" in interrupted.stdout
    cinder.stuck = False
    if unattended:
        cinder.get_volume(volume.id)
        assert volume.status == "available"
    assert run("restore", "data", "-y").exit_code == 0
    assert state.volume_id == volume.id
    assert cinder.restored == [backup.id]
    assert volume.metadata["rsp_restored_from"] == backup.id


def test_a_restore_is_continued_with_its_backup_although_there_is_a_newer_one(cinder: FakeCinder, state: State) -> None:
    data = cinder.volumes()[0]
    first = cinder.made("backup", data, 6)
    cinder.stuck = True
    run("restore", "data", "-y", "--timeout", "0")
    cinder.stuck = False
    newer = cinder.made("backup", data, 1)
    assert f"data: continue to restore backup {first.name} of " in run("restore", "data", "--dry-run").stdout
    (chosen,) = results("restore", "data", "--dry-run", "--time", "2999-01-01")
    assert chosen["backup"]["id"] == newer.id
    assert run("restore", "data", "-y").exit_code == 0
    assert cinder.existing[state.volume_id].content == first.id
    assert len(cinder.volumes()) == 3
    # It is complete.
    assert f"data: restore backup {newer.name} of " in run("restore", "data", "--dry-run").stdout


@pytest.mark.usefixtures("state")
def test_interrupted_restores_that_cannot_be_continued_are_named(cinder: FakeCinder) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 6, created_at="2026-01-01T00:00:00")
    cinder.add("volume", "rsp-test-nfs-data-from-20250101-000000")
    gone = str(run("restore", "data", "-y").exception)
    assert "the backup of an interrupted restore is gone: delete rsp-test-nfs-data-from-20250101-000000 in" in gone
    cinder.add("volume", "rsp-test-nfs-data-from-20260101-000000")
    assert "data: several restores were interrupted: delete " in str(run("restore", "data", "-y").exception)
    assert run("restore", "data", "--dry-run", "--time", "2026-01-02").exit_code == 0


def test_a_failed_restore_is_not_continued(cinder: FakeCinder, state: State) -> None:
    data = cinder.volumes()[0]
    cinder.made("backup", data, 6)
    cinder.stuck = True
    run("restore", "data", "-y", "--timeout", "0")
    cinder.volumes()[-1].status = "error_restoring"
    cinder.stuck = False
    failed = run("restore", "data", "-y")
    assert failed.exit_code == 1
    assert re.search(r"has status error_restoring: .* Delete this volume, and try again", failed.stdout)
    assert state.volume_id == data.id


def test_an_outage_of_the_api_does_not_end_a_restore(
    cinder: FakeCinder, state: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    cinder.made("backup", cinder.volumes()[0], 6)
    cinder.outages = 3
    assert run("restore", "data", "-y").exit_code == 0
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"
    cinder.made("backup", cinder.volumes()[0], 1)
    monkeypatch.setattr(recovery_backups, "OUTAGE", 0.0)
    cinder.outages = 3
    failed = run("restore", "data", "-y")
    assert failed.exit_code == 1
    assert "data: failed: the request to the service failed (503 Service Unavailable)" in failed.stdout


def test_volumes_that_do_not_exist_are_restored_for_an_empty_stack(cinder: FakeCinder, state: State) -> None:
    state.document = {"deployment": {"resources": []}}
    for each in cinder.volumes():
        cinder.made("backup", each, 6)
    del cinder.existing["volume-1"]
    done = run("restore", "--missing", "--yes")
    assert done.exit_code == 0, done.output
    assert sorted(each.name for each in cinder.volumes()) == ["rsp-test-nfs-data", "rsp-test-nfs-jhome"]
    assert "`python -m operations recover -s test` records them" in done.stdout
    assert run("restore", "--missing", "--yes").stdout.startswith("No volume is missing.")


def test_the_volume_of_a_claim_is_not_put_in_its_place(cinder: FakeCinder) -> None:
    name = "postgres/postgres-physpvc"
    volume = cinder.add("volume", "pvc-1", "in-use")
    cinder.made("snapshot", volume, 6, metadata={"rsp_stack": "test", "rsp_volume": name})
    (found,) = results("restore", name, "-y")
    restored = cinder.existing[found["id"]]
    assert restored.name.startswith("rsp-test-claim-postgres-postgres-physpvc-from-")
    assert restored.metadata["csi.storage.k8s.io/pvc/name"] == "postgres-physpvc"
    assert volume.name == "pvc-1"
    # It is complete, with its name.
    newer = cinder.made("snapshot", volume, 1, metadata={"rsp_stack": "test", "rsp_volume": name})
    (found,) = results("restore", name, "--dry-run")
    assert found["backup"]["id"] == newer.id
    restored.metadata.pop("rsp_restored_from")
    (found,) = results("restore", name, "--dry-run")
    assert found["backup"]["id"] != newer.id


def test_nothing_is_restored_without_a_good_backup_or_confirmation(cinder: FakeCinder, state: State) -> None:
    data = cinder.volumes()[0]
    assert "there is none at all" in str(run("restore", "data", "-y").exception)
    cinder.made("backup", data, 6)
    assert "the first one is of" in str(run("restore", "data", "-y", "--time", "2020-01-01").exception)
    assert run("restore", "data").exit_code == 1
    assert run("restore", "data", "--dry-run").exit_code == 0
    assert run("restore").exit_code == run("restore", "data", "--missing").exit_code == 2
    for at in ("yesterday", "2026-02-30", "9999-12-31"):
        assert run("restore", "data", "--time", at).exit_code == 2
    assert len(cinder.volumes()) == 2
    assert state.volume_id == data.id
