"""Volume claims get volumes by Kubernetes' rules."""

from typing import Any

import pytest

from sandbox.cluster import volumes
from sandbox.cluster.kube import Object
from tests.unit.sandbox.fake_kube import FakeKube


def storage_class(mode: str = "Immediate", **more: Any) -> Object:
    return {
        "kind": "StorageClass",
        "metadata": {"name": "ceph-hdd"},
        "provisioner": volumes.PROVISIONER,
        "volumeBindingMode": mode,
        **more,
    }


def claim(**annotations: str) -> Object:
    return {
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": "postgres", "uid": "1-2-3", "annotations": annotations},
        "spec": {
            "storageClassName": "ceph-hdd",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "10Gi"}},
        },
        "status": {"phase": "Pending"},
    }


def cluster(*objects: Object) -> FakeKube:
    kube = FakeKube()
    for each in objects:
        kube.add(f"/{each['kind']}/{each['metadata']['name']}", each)
    return kube


def test_claim_gets_a_volume_of_its_size_bound_to_it() -> None:
    kube = cluster(storage_class(reclaimPolicy="Retain"), claim())
    volumes.reconcile(kube)

    (made,) = kube.list("/api/v1/persistentvolumes")
    assert made["metadata"]["name"] == "pvc-1-2-3"
    assert made["spec"]["capacity"] == {"storage": "10Gi"}
    assert made["spec"]["claimRef"]["uid"] == "1-2-3"
    assert made["spec"]["csi"]["driver"] == "cinder.csi.openstack.org"
    assert made["spec"]["persistentVolumeReclaimPolicy"] == "Retain"
    assert "nodeAffinity" not in made["spec"]


def test_volume_is_created_once() -> None:
    kube = cluster(storage_class(), claim())
    volumes.reconcile(kube)
    kube.list("/api/v1/persistentvolumes")[0]["status"] = {"phase": "Bound"}
    kube.merge("/api/v1/persistentvolumes/pvc-1-2-3", {"status": {"phase": "Bound"}})
    kube.writes.clear()
    volumes.reconcile(kube)

    assert kube.writes == []


def test_volume_is_created_for_the_first_consumer() -> None:
    waiting = storage_class("WaitForFirstConsumer")

    assert not volumes.needs_volume(claim(), waiting)
    assert volumes.needs_volume(claim(**{"volume.kubernetes.io/selected-node": "rsp-node-0"}), waiting)


def test_bound_claim_needs_no_volume() -> None:
    bound = claim()
    bound["status"]["phase"] = "Bound"

    assert not volumes.needs_volume(bound, storage_class())


def test_class_of_another_provisioner_is_left_alone() -> None:
    other = storage_class() | {"provisioner": "manila.csi.openstack.org"}
    kube = cluster(other, claim())
    volumes.reconcile(kube)

    assert kube.list("/api/v1/persistentvolumes") == []


@pytest.mark.parametrize(
    ("phase", "policy", "stays"),
    [("Released", "Delete", False), ("Released", "Retain", True), ("Bound", "Delete", True)],
)
def test_released_volume_is_deleted_by_its_reclaim_policy(phase: str, policy: str, stays: bool) -> None:
    volume = volumes.volume(claim(), storage_class(reclaimPolicy=policy)) | {"status": {"phase": phase}}
    kube = FakeKube()
    kube.add("/api/v1/persistentvolumes/pvc-1-2-3", volume)
    volumes.reconcile(kube)

    assert bool(kube.list("/api/v1/persistentvolumes")) is stays


def test_released_volume_of_another_provisioner_is_kept() -> None:
    volume = volumes.volume(claim(), storage_class()) | {"status": {"phase": "Released"}}
    volume["metadata"]["annotations"] = {}

    assert not volumes.is_done(volume)
