"""Existing resources that are not in the state are recorded in it, up to all of a stack."""

from collections.abc import Mapping
from typing import Any

import pytest

from phalanx.errors import PhalanxError
from probes.kubernetes_api import KubernetesError
from recovery import adoption, kubernetes
from recovery.adoption import adopt
from recovery.finder import Finder
from recovery.openstack import FINDERS
from recovery.pulumi_stack import PulumiStack
from recovery.report import Outcome, Report
from recovery.services import SERVICES, Service
from tests.unit.recovery.conftest import CLOUD, CLOUD_STATE, NETWORK, Cloud, network, resource
from tests.unit.recovery.fake_pulumi import FakePulumi, sealed

STACK = PulumiStack("test")
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
CLUSTER = CLOUD.replace("openstack", "kubernetes")
CLUSTER_STATE = {**CLOUD_STATE, "urn": CLUSTER, "type": "pulumi:providers:kubernetes", "inputs": {"kubeconfig": "k"}}


def outcomes(report: Report) -> dict[str, Outcome]:
    return {each.urn.rpartition("::")[2]: each.outcome for each in report.items}


def test_existing_resources_of_the_plan_are_adopted_round_by_round(pulumi: FakePulumi, cloud: Cloud) -> None:
    component = {
        "urn": "urn:pulumi:test::rsp::rsp:index:Network::network",
        "type": "rsp:index:Network",
        "custom": False,
    }
    outer = {**network("outer"), "parent": component["urn"], "propertyDependencies": {"name": []}}
    unknown = {**network("inner"), "inputs": {"name": UNKNOWN}}
    inner = {**network("inner"), "dependencies": [outer["urn"]]}
    pulumi.plan([component, outer, unknown, inner], [inner])
    cloud.networks.update(outer=["id-1"], inner=["id-2"])
    report = adopt(STACK)
    assert outcomes(report) == {"outer": Outcome.RECORDED, "inner": Outcome.RECORDED}
    assert [each["urn"] for each in pulumi.resources[1:]] == [component["urn"], outer["urn"], inner["urn"]]


def test_adopted_resources_follow_their_nested_components(pulumi: FakePulumi, cloud: Cloud) -> None:
    def component(name: str, parent: str | None = None) -> dict[str, Any]:
        found = {"urn": f"urn:pulumi:test::rsp::rsp:index:C::{name}", "type": "rsp:index:C", "custom": False}
        return {**found, "parent": parent} if parent else found

    outer = component("outer")
    inner = component("inner", outer["urn"])
    first = {**network("first"), "parent": outer["urn"]}
    second = {**network("second"), "parent": inner["urn"]}
    pulumi.plan([outer, inner, first, second])
    cloud.networks.update(first=["id-1"], second=["id-2"])
    adopt(STACK)
    assert [each["urn"] for each in pulumi.resources[1:]] == [each["urn"] for each in (outer, first, inner, second)]


def test_an_existing_resource_with_masked_inputs_is_undecided(pulumi: FakePulumi, cloud: Cloud) -> None:
    there, new, nameless = (network(name) for name in ("there", "new", "nameless"))
    for each in (there, new):
        each["inputs"]["userData"] = "[secret]"
    nameless["inputs"]["name"] = UNKNOWN
    pulumi.plan([there, new, nameless])
    cloud.networks.update(there=["id-1"])
    report = adopt(STACK)
    assert outcomes(report) == {"there": Outcome.UNDECIDED}
    assert "`pulumi import openstack:networking/network:Network there id-1`" in report.items[0].message
    assert cloud.queries == 2
    assert pulumi.called("stack", "import") == []


def test_what_cannot_be_recorded_is_named_after_what_was_recorded(pulumi: FakePulumi, cloud: Cloud) -> None:
    """An update would create what was found, and stop in the middle at the masked resource."""
    masked = network("masked")
    masked["inputs"]["userData"] = "[secret]"
    pulumi.plan([network("found"), masked], [masked])
    cloud.networks.update(found=["id-1"], masked=["id-2"])
    report = adopt(STACK)
    assert outcomes(report) == {"found": Outcome.RECORDED, "masked": Outcome.UNDECIDED}
    assert [each["id"] for each in pulumi.resources[1:]] == ["id-1"]
    assert "Nothing was recorded" not in "\n".join(report.lines())


def test_what_is_found_beside_an_undecided_resource_is_recorded(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.plan([network("found"), network("twice")], [network("twice")])
    cloud.networks.update(found=["id-1"], twice=["id-2", "id-3"])
    assert outcomes(adopt(STACK)) == {"found": Outcome.RECORDED, "twice": Outcome.UNDECIDED}
    assert [each["id"] for each in pulumi.resources[1:]] == ["id-1"]
    assert len(pulumi.called("preview")) == 1


def test_more_rounds_than_expected_are_reported(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adoption, "ROUNDS", 1)
    pulumi.plan([network("there")], [network("more")])
    cloud.networks.update(there=["id-1"], more=["id-2"])
    with pytest.raises(PhalanxError, match="there may be more: run the same command again"):
        adopt(STACK)
    monkeypatch.setattr(adoption, "ROUNDS", 2)
    assert outcomes(adopt(STACK)) == {"more": Outcome.RECORDED}


def test_there_is_no_preview_of_a_resource_that_has_failed(
    pulumi: FakePulumi, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = Finder[Any](find=FINDERS[NETWORK].find, finish=lambda *_: "it is in status ERROR")
    monkeypatch.setitem(SERVICES, "openstack", Service(SERVICES["openstack"].connect, {NETWORK: failed}.get))
    pulumi.plan([network("there")])
    cloud.networks.update(there=["id-1"])
    assert outcomes(adopt(STACK)) == {"there": Outcome.FAILED}
    assert pulumi.resources[-1]["id"] == "id-1"
    assert len(pulumi.called("preview")) == 1


def test_a_plan_of_new_resources_gives_an_empty_report(pulumi: FakePulumi, cloud: Cloud) -> None:
    pulumi.plan([network("new"), resource("vault:index/token:Token", "token", {})])
    assert adopt(STACK).items == []
    assert cloud.queries == 1
    assert pulumi.called("stack", "import") == []


def test_the_provider_of_a_lost_state_is_recorded_with_what_it_finds(pulumi: FakePulumi, cloud: Cloud) -> None:
    """In a plan, the reference to a provider that is not in the state has no ID."""
    provider = {key: value for key, value in CLOUD_STATE.items() if key != "id"}
    planned = {**network("there"), "provider": f"{CLOUD}::{UNKNOWN}"}
    pulumi.write([], [])
    pulumi.plan([provider, planned])
    assert adopt(STACK).items == []
    assert pulumi.resources == []

    pulumi.plan([provider, planned])
    cloud.networks.update(there=["id-1"])
    assert outcomes(adopt(STACK)) == {"there": Outcome.RECORDED}
    recorded, found = pulumi.resources
    assert recorded["outputs"] == recorded["inputs"] == CLOUD_STATE["inputs"]
    assert found["provider"] == f"{CLOUD}::{recorded['id']}"


class _Secrets:
    """A cluster's API with one Secret."""

    def __init__(self, manager: str) -> None:
        self._manager = manager

    def collection(self, *_: object) -> str:
        return "/secrets"

    def get(self, path: str) -> Mapping[str, Any] | None:
        managed = [{"manager": self._manager}]
        metadata = {"name": "ours", "namespace": "argocd", "managedFields": managed}
        return {"metadata": metadata} if path == "/secrets/ours" else None


@pytest.mark.parametrize(("manager", "adopted"), [("pulumi-kubernetes-1", True), ("kubectl", False)])
def test_an_object_is_recorded_by_its_name_if_a_run_applied_it(
    pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch, manager: str, adopted: bool
) -> None:
    """Its other inputs may depend on what cannot be recorded, such as a credential that is created again."""
    monkeypatch.setitem(SERVICES, "kubernetes", Service(lambda _: _Secrets(manager), kubernetes.finder))
    pulumi.write([CLOUD_STATE, CLUSTER_STATE], [])
    inputs = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "ours", "namespace": "argocd"},
        "stringData": {"id": UNKNOWN, "known": "1"},
    }
    planned = resource("kubernetes:core/v1:Secret", "ours", inputs, CLUSTER)
    created = "urn:pulumi:test::rsp::vault:index/token:Token::token"
    references = {"dependencies": [CLUSTER, created], "propertyDependencies": {"stringData": [created]}}
    pulumi.plan([{**planned, **references}])
    assert outcomes(adopt(STACK)) == ({"ours": Outcome.RECORDED} if adopted else {})
    if adopted:
        recorded = pulumi.resources[-1]
        assert (recorded["id"], recorded["outputs"]["__fieldManager"]) == ("argocd/ours", manager)
        assert recorded["inputs"]["stringData"] == {"known": "1"}
        assert (recorded["dependencies"], recorded["propertyDependencies"]) == ([CLUSTER], {"stringData": []})


def test_a_cluster_that_does_not_answer_is_asked_once(pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each request is repeated for more than a minute."""
    asked = []

    class Silent(_Secrets):
        def get(self, path: str) -> Mapping[str, Any] | None:
            asked.append(path)
            raise KubernetesError("the Kubernetes API at https://192.0.2.1:6443 does not answer")

    monkeypatch.setitem(SERVICES, "kubernetes", Service(lambda _: Silent(""), kubernetes.finder))
    pulumi.write([CLOUD_STATE, CLUSTER_STATE], [])

    def planned(name: str) -> dict[str, Any]:
        inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "argocd"}}
        return resource("kubernetes:core/v1:Secret", name, inputs, CLUSTER)

    pulumi.plan([planned("first"), planned("second")])
    told: list[str] = []
    assert outcomes(adopt(STACK, progress=told.append)) == {}
    assert asked == ["/version"]
    assert "the API of kubernetes does not answer: left to the next run" in told


def test_the_provider_of_a_cluster_is_recorded_with_its_kubeconfig(
    pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A plan masks it."""
    kubeconfigs = []

    def connect(settings: Mapping[str, Any]) -> _Secrets:
        kubeconfigs.append(settings["kubeconfig"])
        return _Secrets("pulumi-kubernetes-1")

    monkeypatch.setitem(SERVICES, "kubernetes", Service(connect, kubernetes.finder))
    cluster = resource("openstack:containerinfra/cluster:Cluster", "cluster", {})
    cluster |= {"id": "id-1", "outputs": {"kubeconfig": sealed({"raw_config": "planted-kubeconfig"})}}
    pulumi.write([CLOUD_STATE, cluster], [])
    provider = {key: value for key, value in CLUSTER_STATE.items() if key != "id"}
    provider |= {"inputs": {"kubeconfig": "[secret]"}, "propertyDependencies": {"kubeconfig": [cluster["urn"]]}}
    metadata = {"name": "ours", "namespace": "argocd"}
    inputs = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": "[secret]"}
    pulumi.plan([provider, resource("kubernetes:core/v1:Secret", "ours", inputs, CLUSTER)])
    assert outcomes(adopt(STACK)) == {"ours": Outcome.RECORDED}
    *_, recorded, found = pulumi.resources
    assert recorded["inputs"] == recorded["outputs"] == {"kubeconfig": sealed("planted-kubeconfig")}
    assert (found["provider"], "stringData" in found["inputs"]) == (f"{CLUSTER}::{recorded['id']}", False)
    assert set(kubeconfigs) == {"planted-kubeconfig"}
    assert "planted-kubeconfig" not in pulumi.text
