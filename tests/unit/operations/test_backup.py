"""Backups are made, listed and deleted by the commands."""

import re
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure

from recovery import backups as recovery_backups
from tests.unit.fake_cinder import FakeCinder
from tests.unit.operations.backup_command import cinder, configure, results, run
from tests.unit.sample import environment_data, write_stack

__all__ = ["cinder"]


def actions(*arguments: str, code: int = 0) -> dict[str, str]:
    return {each["volume"]: each["action"] for each in results(*arguments, code=code)}


def test_each_volume_gets_a_marked_snapshot_and_a_repeated_run_makes_none(cinder: FakeCinder) -> None:
    assert actions("create") == {"data": "made", "jhome": "made"}
    first, _ = cinder.snapshots()
    assert first.name.startswith("rsp-test-nfs-data-20")
    assert first.metadata == {"rsp_stack": "test", "rsp_volume": "data"}
    assert actions("create") == {"data": "present", "jhome": "present"}
    assert len(cinder.snapshots()) == 2
    assert actions("create", "--now") == {"data": "made", "jhome": "made"}


def test_an_interrupted_run_is_continued(cinder: FakeCinder) -> None:
    cinder.made("snapshot", cinder.volumes()[0], 1, "creating")
    assert actions("create") == {"data": "present", "jhome": "made"}


def test_one_that_was_lost_while_it_was_made_is_made_again(cinder: FakeCinder) -> None:
    cinder.made("snapshot", cinder.volumes()[0], 72, "creating")
    assert actions("create") == {"data": "made", "jhome": "made"}


def test_a_dry_run_makes_and_deletes_nothing(cinder: FakeCinder) -> None:
    for age in (20, 44, 68):
        cinder.made("snapshot", cinder.volumes()[0], age)
    found = results("create", "--prune", "--dry-run")
    assert [(each["volume"], each["action"]) for each in found] == [
        ("data", "to be made"),
        ("jhome", "to be made"),
        ("data", "to be deleted"),
    ]
    assert len(cinder.snapshots()) == 3
    assert not cinder.deleted


def test_a_failure_is_reported_and_does_not_stop_the_others(cinder: FakeCinder) -> None:
    cinder.failing.add(cinder.volumes()[0].id)
    found = run("create")
    assert found.exit_code == 1
    assert "data: failed snapshot rsp-test-nfs-data-" in found.stdout
    assert "has status error" in found.stdout
    assert "jhome: made snapshot" in found.stdout
    # It does not count as a recent one.
    cinder.failing.clear()
    assert actions("create") == {"data": "made", "jhome": "present"}


def test_a_refusal_by_cinder_is_reported_with_its_reason(cinder: FakeCinder) -> None:
    cinder.volumes()[0].status = "refused"
    cinder.volumes()[1].status = "error_extending"
    assert [each["reason"] for each in results("create", code=1)] == [
        "the volume volume-1 has status refused",
        "the volume volume-2 has status error_extending",
    ]
    cinder.existing.clear()
    assert {each["reason"] for each in results("create", code=1)} == {"there is no such volume in Cinder"}


def test_what_takes_too_long_is_a_failure_that_a_later_run_waits_for(cinder: FakeCinder) -> None:
    cinder.stuck = True
    assert "is not complete; a later run waits for it" in run("create", "--timeout", "0").stdout
    cinder.stuck = False
    assert actions("create") == {"data": "present", "jhome": "present"}


def test_one_deadline_is_for_making_and_deleting(cinder: FakeCinder, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0

    def sleep(_: float) -> None:
        nonlocal now
        now += 600

    for module in ("operations.backup", "recovery.backups"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(monotonic=lambda: now, sleep=sleep))
    for age in (20, 44, 68):
        cinder.made("snapshot", cinder.volumes()[0], age)
    cinder.stuck = True
    found = results("create", "--prune", "--timeout", "5.5", code=1)
    assert [(each["volume"], each["action"]) for each in found] == [
        ("data", "failed"),
        ("jhome", "failed"),
        ("data", "not deleted"),
    ]
    assert found[2]["reason"] == "it is still being deleted"
    assert now - 1000 <= 5.5 * 3600 + 600


def test_an_outage_of_the_api_does_not_end_the_wait(cinder: FakeCinder, monkeypatch: pytest.MonkeyPatch) -> None:
    cinder.outages = 3
    assert actions("create") == {"data": "made", "jhome": "made"}
    monkeypatch.setattr(recovery_backups, "OUTAGE", 0.0)
    cinder.outages = 3
    found = results("create", "--now", code=1)
    assert [each["action"] for each in found] == ["failed", "failed"]
    assert found[0]["reason"].endswith("cannot be read: 503 Service Unavailable")


def test_a_refused_connection_does_not_stop_the_others(cinder: FakeCinder, monkeypatch: pytest.MonkeyPatch) -> None:
    create, pending = cinder.create_snapshot, [ConnectFailure("Connection refused")]

    def refuse_the_first(**values: Any) -> Any:
        if pending:
            raise pending.pop()
        return create(**values)

    monkeypatch.setattr(cinder, "create_snapshot", refuse_the_first)
    found = results("create", code=1)
    assert [(each["action"], each["reason"]) for each in found] == [("failed", "Connection refused"), ("made", "")]


@pytest.mark.usefixtures("cinder")
@pytest.mark.parametrize("as_json", [False, True])
def test_what_was_made_is_shown_even_if_nothing_can_be_pruned(
    monkeypatch: pytest.MonkeyPatch, *, as_json: bool
) -> None:
    monkeypatch.setattr(recovery_backups.VolumeBackups, "prune", Mock(side_effect=ConnectFailure("Connection refused")))
    found = run("create", "--prune", *(["--json"] if as_json else []))
    assert isinstance(found.exception, ConnectFailure)
    assert found.stdout.count("made") == 2


def test_a_backup_whose_deletion_cannot_be_asked_for_is_kept(
    cinder: FakeCinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age in (20, 44, 68):
        cinder.made("snapshot", cinder.volumes()[0], age)
    monkeypatch.setattr(cinder, "delete_snapshot", Mock(side_effect=ConnectFailure("Connection refused")))
    assert [(each["action"], each["reason"]) for each in results("prune")] == [("not deleted", "Connection refused")]


@pytest.mark.usefixtures("cinder")
def test_without_configuration_nothing_is_backed_up() -> None:
    configure()
    found = run("create")
    assert "rsp:backups.kind: is none" in str(found.exception)


def test_backups_are_incremental_within_a_week_if_the_last_one_can_be_their_parent(cinder: FakeCinder) -> None:
    configure(kind="backup", volumes=["data"])
    assert actions("create") == {"data": "made"}
    assert actions("create", "--now") == {"data": "made"}
    assert [each.is_incremental for each in cinder.backups()] == [False, True]
    # Somebody's own backup has failed: Cinder would take it as the parent.
    cinder.add("backup", "own", "error", volume_id=cinder.volumes()[0].id, data_timestamp="2999", is_incremental=False)
    assert actions("create", "--now") == {"data": "made"}
    assert cinder.backups()[-1].is_incremental is False


def test_backups_are_complete_if_so_configured(cinder: FakeCinder) -> None:
    configure(kind="backup", volumes=["data"], incremental=False)
    for _ in range(2):
        run("create", "--now")
    assert [each.is_incremental for each in cinder.backups()] == [False, False]


def test_prune_deletes_own_expired_ones_only(cinder: FakeCinder) -> None:
    data = cinder.volumes()[0]
    old = [cinder.made("snapshot", data, age) for age in (24, 48, 72, 96)]
    manual = cinder.add("snapshot", "manual", volume_id=data.id, created_at="2020-01-01T00:00:00")
    other = cinder.made("snapshot", data, 500)
    other.metadata = {"rsp_stack": "other", "rsp_volume": "data"}
    assert [each["backup"]["id"] for each in results("prune")] == [old[2].id, old[3].id]
    assert {each.id for each in cinder.snapshots()} == {old[0].id, old[1].id, manual.id, other.id}
    assert results("prune") == []


def test_incremental_backups_are_deleted_before_those_that_they_need(cinder: FakeCinder) -> None:
    configure(kind="backup", keep={"daily": 1, "weekly": 0})
    data = cinder.volumes()[0]
    for age, incremental in ((96, False), (72, True), (48, True), (24, False)):
        cinder.made("backup", data, age, is_incremental=incremental)
    assert [each["action"] for each in results("prune")] == ["deleted"] * 3


def test_a_snapshot_that_a_restored_volume_needs_is_left(cinder: FakeCinder) -> None:
    for age in (24, 48, 72):
        cinder.made("snapshot", cinder.volumes()[0], age)
    cinder.undeletable.add(cinder.snapshots()[-1].id)
    (found,) = results("prune")
    assert found["action"] == "not deleted"
    assert "a volume that was restored from it may need it" in found["reason"]


def test_the_list_tells_what_is_expired_and_what_has_failed(cinder: FakeCinder) -> None:
    assert run("list").stdout == "There are no backups.\n"
    data = cinder.volumes()[0]
    for age, status in ((6, "error"), (30, "available"), (54, "available"), (78, "available")):
        cinder.made("snapshot", data, age, status)
    lines = run("list").stdout.splitlines()
    assert [re.findall("available|error|expired", line) for line in lines[1:]] == [
        ["available", "expired"],
        ["available"],
        ["available"],
        ["error"],
    ]


def test_volumes_of_claims_are_found_by_their_metadata(cinder: FakeCinder) -> None:
    configure(kind="snapshot", volumes=["data"], claims=["postgres/postgres-physpvc"])
    claim = {"csi.storage.k8s.io/pvc/namespace": "postgres", "csi.storage.k8s.io/pvc/name": "postgres-physpvc"}
    cluster = "cinder.csi.openstack.org/cluster"

    def volume(of: str, status: str) -> Any:
        return cinder.add("volume", "pvc-1", status, metadata={**claim, cluster: of})

    volume("rsp-other-cluster-abcdefghijkl", "in-use")
    (_, missing) = results("create", code=1)
    assert missing["reason"] == "there is no such volume in Cinder"
    volume("rsp-test-cluster-deaddeaddead", "available")
    living = volume("rsp-test-cluster-abcdefghijkl", "in-use")
    assert actions("create") == {"data": "present", "postgres/postgres-physpvc": "made"}
    snapshot = cinder.snapshots()[-1]
    assert snapshot.volume_id == living.id
    assert snapshot.name.startswith("rsp-test-claim-postgres-postgres-physpvc-20")
    volume("rsp-test-cluster-abcdefghijkl", "in-use")
    (_, several) = results("create", "--now", code=1)
    assert several["reason"].startswith("several volumes may be it: ")


def test_of_two_clusters_the_active_ones_volume_is_backed_up(cinder: FakeCinder) -> None:
    cluster = environment_data()["clusters"]["cluster"]
    backups = {"kind": "snapshot", "volumes": [], "claims": ["postgres/postgres-physpvc"]}
    write_stack(clusters={"blue": cluster, "green": cluster}, activeCluster="green", backups=backups)
    claim = {"csi.storage.k8s.io/pvc/namespace": "postgres", "csi.storage.k8s.io/pvc/name": "postgres-physpvc"}

    def volume(of: str, status: str = "in-use") -> Any:
        metadata = {**claim, "cinder.csi.openstack.org/cluster": f"rsp-test-{of}-abcdefghijkl"}
        return cinder.add("volume", "pvc-1", status, metadata=metadata)

    def backed_up() -> str:
        assert actions("create", "--now") == {"postgres/postgres-physpvc": "made"}
        return str(cinder.snapshots()[-1].volume_id)

    blue, green = volume("blue"), volume("green")
    assert backed_up() == green.id
    # The volume of blue was moved to green, whose own is not used any more.
    green.status = "available"
    assert backed_up() == blue.id
    # Two of the same cluster remain a question, whose answer is named.
    volume("blue")
    (several,) = results("create", "--now", code=1)
    assert several["reason"].endswith(
        "`openstack volume unset --property csi.storage.k8s.io/pvc/name ID` excludes a wrong one"
    )
    del blue.metadata["csi.storage.k8s.io/pvc/name"]
    assert backed_up() == cinder.volumes()[-1].id
