"""A Pod starts only when the Secrets and ConfigMaps that it requires exist, as on a real node."""

from typing import Any

import pytest
import yaml

from sandbox.cluster import kubelet
from sandbox.cluster.kube import Object
from sandbox.cluster.kubelet import Reference
from tests.unit.sandbox.fake_kube import FakeKube

PATH = "/api/v1/namespaces/postgres/pods/postgres-0"
SECRET = "/api/v1/namespaces/postgres/secrets/postgres"


def pod(volumes: list[Object] | None = None, **container: Any) -> Object:
    return {
        "kind": "Pod",
        "metadata": {"name": "postgres-0", "namespace": "postgres"},
        "spec": {
            "nodeName": "rsp-node-0",
            "containers": [{"name": "postgres", "image": "postgres:16", **container}],
            "volumes": volumes or [],
        },
        "status": {"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "True"}]},
    }


def needing(key: str, *, optional: bool = False) -> Object:
    reference = {"name": "postgres", "key": key, "optional": optional}
    return pod(env=[{"name": "PASSWORD", "valueFrom": {"secretKeyRef": reference}}])


def reconcile(kube: FakeKube, wanted: Object) -> Object:
    """Reconcile a Pod once and return its status."""
    kube.objects.setdefault(PATH, wanted)
    kubelet.reconcile(kube, [kube.objects[PATH]])
    status: Object = kube.objects[PATH]["status"]
    return status


def may_start(status: Object) -> bool:
    return {"type": kubelet.CONDITION, "status": "True"} in status["conditions"]


def test_pod_without_references_starts_and_keeps_its_other_conditions() -> None:
    status = reconcile(FakeKube(), pod())
    assert may_start(status)
    assert {"type": "PodScheduled", "status": "True"} in status["conditions"]


def test_missing_secret_is_reported_until_it_exists() -> None:
    kube = FakeKube()
    status = reconcile(kube, needing("root_password"))
    assert not may_start(status)
    assert status["containerStatuses"][0]["state"]["waiting"] == {
        "reason": "CreateContainerConfigError",
        "message": 'secret "postgres" not found',
    }
    kube.add(SECRET, {"kind": "Secret", "data": {"other": ""}})
    assert (
        "root_password"
        in reconcile(kube, needing("root_password"))["containerStatuses"][0]["state"]["waiting"]["message"]
    )
    kube.add(SECRET, {"kind": "Secret", "data": {"root_password": ""}})
    assert may_start(reconcile(kube, needing("root_password")))


def test_unchanged_reason_is_written_once() -> None:
    kube = FakeKube()
    reconcile(kube, needing("root_password"))
    kube.writes.clear()
    reconcile(kube, needing("root_password"))
    assert kube.writes == []


def test_optional_secret_may_be_missing() -> None:
    assert may_start(reconcile(FakeKube(), needing("root_password", optional=True)))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            pod(envFrom=[{"secretRef": {"name": "a"}}, {"configMapRef": {"name": "b"}}]),
            [Reference("secrets", "a", None, mounted=False), Reference("configmaps", "b", None, mounted=False)],
        ),
        (
            pod([{"name": "v", "secret": {"secretName": "a", "items": [{"key": "tls.key", "path": "k"}]}}]),
            [Reference("secrets", "a", "tls.key", mounted=True)],
        ),
        (
            pod(
                [
                    {
                        "name": "v",
                        "projected": {
                            "sources": [{"serviceAccountToken": {"path": "token"}}, {"configMap": {"name": "ca"}}]
                        },
                    }
                ]
            ),
            [Reference("configmaps", "ca", None, mounted=True)],
        ),
    ],
)
def test_every_kind_of_reference_is_found(given: Object, expected: list[Reference]) -> None:
    assert list(kubelet.references(given)) == expected


def test_missing_volume_keeps_the_container_creating() -> None:
    status = reconcile(FakeKube(), pod([{"name": "v", "configMap": {"name": "gone"}}]))
    assert status["containerStatuses"][0]["state"]["waiting"]["reason"] == "ContainerCreating"


@pytest.mark.parametrize(
    "changes",
    [{"spec": {"nodeName": ""}}, {"status": {"phase": "Running"}}, {"metadata": {"deletionTimestamp": "now"}}],
)
def test_unscheduled_or_started_pod_is_left_alone(changes: dict[str, Object]) -> None:
    each = pod()
    for part, fields in changes.items():
        each[part].update(fields)
    assert not kubelet.waits(each)


def test_kwok_waits_for_the_condition() -> None:
    stages = yaml.safe_dump_all(
        {"metadata": {"name": name}, "spec": {"selector": {"matchExpressions": [{"key": "old"}]}}}
        for name in ("pod-complete", "pod-ready")
    )
    complete, ready = yaml.safe_load_all(kubelet.gated(stages))
    assert len(complete["spec"]["selector"]["matchExpressions"]) == 1
    assert kubelet.CONDITION in ready["spec"]["selector"]["matchExpressions"][1]["key"]


@pytest.mark.parametrize(("ready_nodes", "ready"), [({"rsp-node-0"}, "True"), ({"rsp-node-1"}, "False")])
def test_pods_of_a_node_that_comes_back_are_ready_again(ready_nodes: set[str], ready: str) -> None:
    lost = pod()
    scheduled = {"type": "PodScheduled", "status": "True"}
    lost["status"] = {
        "phase": "Running",
        "conditions": [scheduled, {"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "postgres", "ready": True}],
    }
    kube = FakeKube()
    kube.add(PATH, lost)
    kubelet.report_ready(kube, [lost], ready_nodes)
    assert kube.objects[PATH]["status"]["conditions"] == [scheduled, {"type": "Ready", "status": ready}]


def test_a_pod_whose_container_is_not_ready_stays_so() -> None:
    unready = pod()
    unready["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False"}],
        "containerStatuses": [{"name": "postgres", "ready": False}],
    }
    kube = FakeKube()
    kubelet.report_ready(kube, [unready], {"rsp-node-0"})
    assert kube.writes == []
