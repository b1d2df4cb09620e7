"""Objects and Helm releases are found in a cluster, and interrupted Helm operations are removed."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock

import pytest

from probes.kubernetes_api import KubernetesApi, KubernetesError
from recovery import kubernetes
from recovery.adoption import adopt
from recovery.finder import AmbiguousError, Found
from recovery.pulumi_stack import PulumiStack
from recovery.recover import recover
from recovery.report import Outcome
from recovery.services import SERVICES, Service
from tests.unit.recovery.conftest import pending, resource
from tests.unit.recovery.fake_pulumi import FakePulumi, sealed

NOW = datetime.now(UTC)
PROVIDER = "urn:pulumi:test::rsp::pulumi:providers:kubernetes::cluster-kubernetes"
PROVIDER_STATE = {
    "urn": PROVIDER,
    "type": "pulumi:providers:kubernetes",
    "custom": True,
    "id": "provider-id",
    "inputs": {"kubeconfig": sealed("planted-kubeconfig")},
}
NAMESPACE = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "argocd"}}
APPLICATION = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "tap", "namespace": "argocd"},
}
RELEASE = {"name": "argocd", "namespace": "argocd", "chart": "charts/argocd", "values": {"a": 1}}
RECORDS = "/api/v1/namespaces/argocd/secrets"


class FakeCluster:
    """A cluster's API with a table of responses."""

    collection, items = KubernetesApi.collection, KubernetesApi.items

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = {**DISCOVERY, **answers}
        self.deleted: list[str] = []

    def get(self, path: str, **query: str) -> Any:
        assert query in ({}, {"labelSelector": "owner=helm,name=argocd"})
        return self.answers.get(path)

    def delete(self, path: str) -> None:
        self.deleted.append(path)
        collection, _, name = path.rpartition("/")
        left = [each for each in self.answers[collection]["items"] if each["metadata"]["name"] != name]
        self.answers[collection] = {"items": left}


DISCOVERY = {
    "/api/v1": {
        "resources": [
            {"name": each, "kind": "Namespace", "namespaced": False} for each in ("namespaces/status", "namespaces")
        ]
    },
    "/apis/argoproj.io/v1alpha1": {
        "resources": [{"name": "applications", "kind": "Application", "namespaced": True}],
    },
}


def existing(inputs: Mapping[str, Any], *managers: str, **metadata: Any) -> dict[str, Any]:
    managed = [{"manager": each} for each in managers]
    return {**inputs, "metadata": {**inputs["metadata"], "managedFields": managed, **metadata}}


def found(inputs: Mapping[str, Any], answers: Mapping[str, Any]) -> list[Found]:
    return list(kubernetes.OBJECTS.find(FakeCluster(answers), inputs))  # type: ignore[arg-type]


def record(version: int, status: str) -> dict[str, Any]:
    labels = {"version": str(version), "status": status}
    return {"metadata": {"name": f"sh.helm.release.v1.argocd.v{version}", "labels": labels}}


def test_an_object_is_found_with_its_field_manager() -> None:
    answers = {
        "/api/v1/namespaces/argocd": existing(NAMESPACE, "kube-controller-manager", "pulumi-kubernetes-1a2b3c4d")
    }
    (namespace,) = found(NAMESPACE, answers)
    assert namespace.id == "argocd"
    assert namespace.outputs["__fieldManager"] == "pulumi-kubernetes-1a2b3c4d"


@pytest.mark.parametrize("order", [1, -1])
def test_the_field_manager_is_not_that_of_a_patch(order: int) -> None:
    managed = [
        {"manager": "pulumi-kubernetes-patch", "fieldsV1": {"f:operation": {}}},
        {"manager": "pulumi-kubernetes-owner", "fieldsV1": {"f:metadata": {"f:annotations": {}}, "f:spec": {}}},
    ]
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/tap"
    tap = existing(APPLICATION)
    tap["metadata"]["managedFields"] = managed[::order]
    (application,) = found(APPLICATION, {path: tap})
    assert application.outputs["__fieldManager"] == "pulumi-kubernetes-owner"


def test_the_id_of_a_namespaced_object_has_its_namespace() -> None:
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/tap"
    assert [each.id for each in found(APPLICATION, {path: existing(APPLICATION, "pulumi-kubernetes-1")})] == [
        "argocd/tap"
    ]


def test_an_object_of_another_manager_is_ambiguous() -> None:
    with pytest.raises(AmbiguousError, match="kubectl"):
        found(NAMESPACE, {"/api/v1/namespaces/argocd": existing(NAMESPACE, "kubectl")})


def test_an_absent_or_terminating_object_or_unknown_kind_is_not_found() -> None:
    going = existing(NAMESPACE, "pulumi-kubernetes-1", deletionTimestamp="2026-01-01T00:00:00Z")
    assert found(NAMESPACE, {}) == []
    assert found(NAMESPACE, {"/api/v1/namespaces/argocd": going}) == []
    assert found({**APPLICATION, "apiVersion": "argoproj.io/v9"}, {}) == []


def test_an_object_is_found_although_the_other_cluster_has_one_with_the_same_id(
    monkeypatch: pytest.MonkeyPatch, pulumi: FakePulumi
) -> None:
    other = PROVIDER.replace("::cluster-kubernetes", "::green-kubernetes")
    kind = "kubernetes:argoproj.io/v1alpha1:Application"
    here = {**resource(kind, "tap", APPLICATION, PROVIDER), "id": "argocd/tap"}
    missing = resource(kind, "green-tap", APPLICATION, other)
    pulumi.write([PROVIDER_STATE, {**PROVIDER_STATE, "urn": other}, here], pending("creating", missing))
    path = "/apis/argoproj.io/v1alpha1/namespaces/argocd/applications/tap"
    cluster = FakeCluster({path: existing(APPLICATION, "pulumi-kubernetes-2")})
    monkeypatch.setitem(SERVICES, "kubernetes", Service(lambda _: cluster, kubernetes.finder))
    monkeypatch.setattr("recovery.search.POLL", 0)
    (item,) = recover(PulumiStack("test")).items
    assert (item.outcome, item.id) == (Outcome.RECORDED, "argocd/tap")
    # Another field manager would not own what the killed run has applied, and could not remove it.
    assert pulumi.resources[-1]["outputs"]["__fieldManager"] == "pulumi-kubernetes-2"


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch, pulumi: FakePulumi) -> Callable[..., FakeCluster]:
    """Return a function that sets up a cluster with Helm's records of a release, which is pending in the state."""
    pulumi.write([PROVIDER_STATE], pending("creating", resource(kubernetes.RELEASE, "release", RELEASE, PROVIDER)))

    def make(*records: Mapping[str, Any]) -> FakeCluster:
        cluster = FakeCluster({RECORDS: {"items": list(records)}})

        def connect(settings: Mapping[str, Any]) -> FakeCluster:
            assert settings["kubeconfig"] == "planted-kubeconfig"
            return cluster

        monkeypatch.setattr(kubernetes, "connect", connect)
        monkeypatch.setitem(SERVICES, "kubernetes", Service(connect, kubernetes.finder))
        monkeypatch.setattr("recovery.search.POLL", 0)
        return cluster

    return make


def test_an_installed_release_is_recorded_with_its_inputs(helm: Callable[..., FakeCluster], pulumi: FakePulumi) -> None:
    helm(record(1, "deployed"))
    (item,) = recover(PulumiStack("test")).items
    assert (item.outcome, item.id) == (Outcome.RECORDED, "argocd/argocd")
    assert pulumi.resources[-1]["outputs"]["__inputs"] == sealed(RELEASE)


def test_the_record_of_an_interrupted_installation_is_removed(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi
) -> None:
    cluster = helm(record(1, "pending-install"))
    assert [each.outcome for each in recover(PulumiStack("test"), dry_run=True).items] == [Outcome.REMOVED]
    assert cluster.deleted == []
    assert [each.outcome for each in recover(PulumiStack("test")).items] == [Outcome.REMOVED]
    assert cluster.deleted == [f"{RECORDS}/sh.helm.release.v1.argocd.v1"]
    assert pulumi.resources == [PROVIDER_STATE]


def test_the_record_of_an_interrupted_upgrade_is_removed(helm: Callable[..., FakeCluster], pulumi: FakePulumi) -> None:
    release = {**resource(kubernetes.RELEASE, "release", RELEASE, PROVIDER), "id": "argocd/argocd"}
    pulumi.write([PROVIDER_STATE, release], pending("updating", release))
    cluster = helm(record(9, "deployed"), record(10, "pending-upgrade"))
    assert [each.outcome for each in recover(PulumiStack("test")).items] == [Outcome.REFRESHED]
    assert cluster.deleted == [f"{RECORDS}/sh.helm.release.v1.argocd.v10"]


def unfinished(pulumi: FakePulumi) -> None:
    """Write a state with a release whose installation a run did not see completed."""
    release = {**resource(kubernetes.RELEASE, "release", RELEASE, PROVIDER), "id": "argocd/argocd"}
    pulumi.write([PROVIDER_STATE, {**release, "initErrors": ["unexpected EOF"]}], [])


def test_a_release_whose_connection_was_lost_during_the_installation_is_installed_again(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi
) -> None:
    cluster = helm(record(1, "pending-install"))
    unfinished(pulumi)
    assert [each.outcome for each in recover(PulumiStack("test")).items] == [Outcome.REMOVED]
    assert cluster.deleted == [f"{RECORDS}/sh.helm.release.v1.argocd.v1"]
    # The refresh removes it from the state.
    (call,) = pulumi.called("refresh")
    assert f"--target={pulumi.resources[-1]['urn']}" in call


def test_a_release_whose_installation_failed_is_left_to_the_next_run(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi
) -> None:
    cluster = helm(record(1, "failed"))
    unfinished(pulumi)
    assert recover(PulumiStack("test")).items == []
    assert cluster.deleted == []
    assert pulumi.called("refresh") == []


@pytest.mark.parametrize("status", ["failed", "pending-install"])
def test_the_record_of_a_failed_installation_that_is_not_in_the_state_is_removed(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi, status: str
) -> None:
    cluster = helm(record(1, status))
    pulumi.write([PROVIDER_STATE], [])
    pulumi.plan([resource(kubernetes.RELEASE, "release", {**RELEASE, "values": "[secret]"}, PROVIDER)])
    assert [each.outcome for each in adopt(PulumiStack("test")).items] == [Outcome.REMOVED]
    assert cluster.deleted == [f"{RECORDS}/sh.helm.release.v1.argocd.v1"]


def test_an_installed_release_that_is_not_in_the_state_is_adopted(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi
) -> None:
    cluster = helm(record(1, "deployed"))
    pulumi.write([PROVIDER_STATE], [])
    pulumi.plan([resource(kubernetes.RELEASE, "release", RELEASE, PROVIDER)])
    assert [each.outcome for each in adopt(PulumiStack("test")).items] == [Outcome.RECORDED]
    assert pulumi.resources[-1]["outputs"]["__inputs"] == sealed(RELEASE)
    assert cluster.deleted == []


def test_an_api_that_does_not_answer_does_not_prevent_the_adoption_of_other_resources(
    helm: Callable[..., FakeCluster], pulumi: FakePulumi, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreachable = KubernetesError("the Kubernetes API at https://127.0.0.1:1 does not answer")
    monkeypatch.setattr(helm(record(1, "failed")), "get", Mock(side_effect=unreachable))
    pulumi.write([PROVIDER_STATE], [])
    pulumi.plan([resource(kubernetes.RELEASE, "release", RELEASE, PROVIDER)])
    report = adopt(PulumiStack("test"))
    assert (report.items, report.undecided) == ([], False)
