import json
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner, Result

from operations.__main__ import app
from recovery import backups as recovery_backups
from recovery import restore as recovery_restore
from recovery.pulumi_stack import PulumiError, PulumiStack
from tests.unit.fake_cinder import FakeCinder
from tests.unit.sample import environment_data

URN = "urn:pulumi:test::rsp::rsp:index:NfsServer$openstack:blockstorage/volume:Volume::nfs-data"


def configure(**backups: Any) -> None:
    """Write the stack's file."""
    data = environment_data(backups=backups) if backups else environment_data()
    values = {f"rsp:{key}": value for key, value in data.items()}
    Path("Pulumi.test.yaml").write_text(yaml.safe_dump({"config": values}))


@pytest.fixture
def cinder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeCinder:
    """Return a Cinder with the stack's volumes, whose snapshots are configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(recovery_backups, "POLL", 0.0)
    monkeypatch.setattr(recovery_restore, "POLL", 0.0)
    configure(kind="snapshot", keep={"daily": 2, "weekly": 0})
    fake = FakeCinder()
    for name, size in (("data", 100), ("jhome", 50)):
        fake.add("volume", f"rsp-test-nfs-{name}", "in-use", size=size, volume_type="ceph", availability_zone="nova")
    monkeypatch.setattr("operations.backup.connect", lambda _: SimpleNamespace(block_storage=fake))
    return fake


class State:
    """The state of the stack, which has the volume of the export data."""

    def __init__(self, volume_id: str) -> None:
        volume = {"urn": URN, "type": "openstack:blockstorage/volume:Volume", "id": volume_id, "outputs": {"size": 100}}
        self.document: dict[str, Any] = {"deployment": {"resources": [volume]}}
        self.refreshed: list[str] = []
        self.locked = False

    @property
    def volume_id(self) -> str:
        return str(self.document["deployment"]["resources"][0]["id"])

    def replace(self, document: dict[str, Any]) -> None:
        if self.locked:
            raise PulumiError("the stack is locked")
        self.document = document


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch, cinder: FakeCinder) -> State:
    found = State(cinder.volumes()[0].id)
    monkeypatch.setattr(PulumiStack, "export", lambda _self: found.document)
    monkeypatch.setattr(PulumiStack, "replace", lambda _self, document: found.replace(document))
    monkeypatch.setattr(PulumiStack, "refresh", lambda _self, urns: found.refreshed.extend(urns))
    return found


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["backup", arguments[0], "-s", "test", *arguments[1:]])


def results(*arguments: str, code: int = 0) -> list[dict[str, Any]]:
    done = run(*arguments, "--json")
    assert done.exit_code == code, done.output
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


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
    assert "Cinder: 503" in str(run("create", "--now").exception)


def test_without_configuration_nothing_is_backed_up(cinder: FakeCinder) -> None:
    del cinder
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
    configure(kind="snapshot", volumes=[], claims=["postgres/postgres-physpvc"])
    stack_file = yaml.safe_load(Path("Pulumi.test.yaml").read_text())
    stack_file["config"] |= {"rsp:clusters": {"blue": cluster, "green": cluster}, "rsp:activeCluster": "green"}
    Path("Pulumi.test.yaml").write_text(yaml.safe_dump(stack_file))
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
    assert "complete an interrupted restore" in done.stdout
    assert len(cinder.volumes()) == 3
    assert cinder.existing[state.volume_id].name == "rsp-test-nfs-data"


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
    assert "data: failed: Cinder: 503 Service Unavailable" in failed.stdout


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
    assert run("restore", "data", "--time", "yesterday").exit_code == 2
    assert len(cinder.volumes()) == 2
    assert state.volume_id == data.id
