import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure
from openstack import exceptions
from typer.testing import CliRunner, Result

from operations.__main__ import app
from recovery import leftovers as recovery_leftovers
from recovery.document import secret
from recovery.pulumi_stack import PulumiStack
from tests.unit.probes.fake_leftovers import (
    DEAD,
    LIVING_ID,
    NAME,
    FakeProject,
    address,
    balancer,
    capi,
    group,
    port,
    volume,
)
from tests.unit.sample import write_stack

BALANCER = f"kube_service_{DEAD}_portal_web"
GROUP = f"k8s-cluster-magnum-0f3a-{DEAD}-secgroup-worker"


class Project(FakeProject):
    """A project in which resources can be deleted, and which notes the deletions."""

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[str] = []
        self.refused: set[str] = set()
        self.balancers = [balancer(BALANCER)]
        self.addresses = [address("192.0.2.1", f"Floating IP for Kubernetes external service a/b from cluster {DEAD}")]
        self.ports = [port("gone-0", capi(DEAD))]
        self.groups = [group(GROUP)]
        self.volumes = [volume("1", DEAD)]
        self.load_balancer.delete_load_balancer = lambda id_, cascade: self._delete(self.balancers, id_, cascade)
        self.network.delete_ip = self._deleting(self.addresses)
        self.network.delete_port = self._deleting(self.ports)
        self.network.delete_security_group = self._deleting(self.groups)
        self.block_storage.delete_volume = self._deleting(self.volumes)

    def _deleting(self, present: list[Any]) -> Callable[[str], None]:
        return lambda id_: self._delete(present, id_, cascade=True)

    def _delete(self, present: list[Any], id_: str, cascade: bool) -> None:
        assert cascade
        if id_ in self.refused:
            raise exceptions.ConflictException(f"{id_} is in use.")
        self.deleted.append(id_)
        present[:] = [each for each in present if each.id != id_]


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Return the resources in the stack's state, which tests may change."""
    resources: list[dict[str, Any]] = []
    monkeypatch.setattr(PulumiStack, "export", lambda *_, **__: {"deployment": {"resources": resources}})
    return resources


@pytest.fixture
def project(stack: Path, monkeypatch: pytest.MonkeyPatch) -> Project:  # noqa: ARG001 - the present directory
    fake = Project()
    monkeypatch.setattr("operations.leftovers.connect", lambda _: fake)
    return fake


def run(*arguments: str, answer: str | None = None) -> Result:
    return CliRunner().invoke(app, ["leftovers", "-s", "test", *arguments], input=answer)


def test_a_list_deletes_nothing(project: Project) -> None:
    result = run()
    assert result.exit_code == 0
    kinds = [line.split("  ")[0] for line in result.stdout.splitlines()]
    assert kinds == ["kind", "load balancer", "floating IP", "port", "security group", "volume"]
    assert project.deleted == []
    assert "deleted" not in result.stdout.replace("deleted cluster", "")


def test_a_deletion_needs_a_confirmation_and_keeps_volumes(project: Project) -> None:
    refused = run("--delete", answer="n\n")
    assert refused.exit_code == 1
    assert project.deleted == []
    assert run("--delete", answer="y\n").exit_code == 0
    assert project.deleted == [f"lb-{BALANCER}", "fip-192.0.2.1", "port-gone-0", f"sg-{GROUP}"]
    assert [each["kind"] for each in json.loads(run("--json").stdout)] == ["volume"]


def test_volumes_are_deleted_only_if_told(project: Project) -> None:
    result = run("--delete", "--volumes", "--yes", "--json")
    assert result.exit_code == 0
    assert {each["deleted"] for each in json.loads(result.stdout)} == {True}
    assert project.deleted[-1] == "vol-1"
    assert run().stdout == "Nothing was left behind.\n"


def test_what_the_state_has_is_never_deleted(project: Project, state: list[dict[str, Any]]) -> None:
    ids = [each.id for each in (*project.balancers, *project.addresses, *project.ports, *project.groups)]
    state += [{"type": "openstack:any:Any", "id": each} for each in ids]
    assert run("--delete", "--yes").exit_code == 0
    assert project.deleted == []


def test_the_address_that_the_site_keeps_is_never_deleted(project: Project) -> None:
    write_stack(ingress__floatingIp="192.0.2.1")
    assert run("--delete", "--yes").exit_code == 0
    assert len(project.deleted) == 3
    assert len(project.addresses) == 1


def test_a_failed_deletion_is_reported_and_the_others_go_on(project: Project) -> None:
    project.refused = {"fip-192.0.2.1"}
    result = run("--delete", "--yes")
    assert result.exit_code == 1
    assert "floating IP 192.0.2.1: not deleted: fip-192.0.2.1 is in use" in result.stdout
    assert f"sg-{GROUP}" in project.deleted


def test_a_service_that_does_not_answer_does_not_end_the_deletion(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(project.network, "delete_ip", Mock(side_effect=ConnectFailure("Connection refused")))
    result = run("--delete", "--yes")
    assert result.exit_code == 1
    assert "floating IP 192.0.2.1: not deleted: Connection refused" in result.stdout
    assert f"sg-{GROUP}" in project.deleted


def test_what_was_deleted_before_an_interruption_is_listed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(project.network, "delete_ip", Mock(side_effect=KeyboardInterrupt))
    result = run("--delete", "--yes", "--json")
    assert result.exit_code != 0
    listed = json.loads(result.stdout.partition("\nAborted")[0])
    assert [each["kind"] for each in listed if each["deleted"]] == ["load balancer"]


def test_the_volumes_of_the_stacks_own_cluster_are_in_use(
    project: Project, state: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    project.clusters = [SimpleNamespace(uuid=LIVING_ID, stack_id="x", name=NAME)]
    restored = {"spec": {"csi": {"driver": "cinder.csi.openstack.org", "volumeHandle": "vol-1"}}}
    asked: list[str] = []

    def api(kubeconfig: str) -> Any:
        asked.append(kubeconfig)
        return SimpleNamespace(items=lambda _path: [restored, {"spec": {"nfs": {}}}])

    monkeypatch.setattr(recovery_leftovers, "KubernetesApi", api)
    # Without its kubeconfig, it is not known which volumes the cluster uses.
    assert "its volumes are not known" in str(run("--json").exception)
    outputs = {"name": NAME, "kubeconfig": secret({})}
    state.append({"type": "openstack:containerinfra/cluster:Cluster", "id": LIVING_ID, "outputs": outputs})
    assert "its volumes are not known" in str(run("--json").exception)
    outputs["kubeconfig"] = secret({"raw_config": "the kubeconfig"})
    assert "volume" not in [each["kind"] for each in json.loads(run("--json").stdout)]
    assert asked == ["the kubeconfig"]


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("name", ["kubernetes", "rsp-test-cluster", "../x"])
def test_a_name_that_other_clusters_have_too_is_refused(name: str) -> None:
    result = run("--cluster", name)
    assert result.exit_code == 2
    assert "expected the ID of a cluster in Magnum" in " ".join(result.stderr.replace("│", " ").split())


@pytest.mark.usefixtures("project")
def test_a_living_cluster_is_refused() -> None:
    assert f"cluster {LIVING_ID} exists" in str(run("--cluster", LIVING_ID).exception)


@pytest.mark.usefixtures("project")
def test_json_and_deletion_need_yes() -> None:
    assert run("--delete", "--json").exit_code == 2
