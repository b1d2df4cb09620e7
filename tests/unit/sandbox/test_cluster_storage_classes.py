from sandbox.cluster import storage_classes
from sandbox.cluster.description import Description, StorageClass
from sandbox.cluster.storage_classes import COLLECTION
from tests.unit.sandbox.fake_kube import FakeKube


def described(*names: str) -> Description:
    classes = tuple(
        StorageClass(
            name=each, volume_type=each, availability_zone="nova", reclaim_policy="Retain", default=each == names[0]
        )
        for each in names
    )
    return Description.model_construct(storage_classes=classes)


def test_classes_are_created_once_and_never_changed() -> None:
    kube = FakeKube()
    changed = kube.add(f"{COLLECTION}/ceph-hdd", {"kind": "StorageClass", "metadata": {"name": "ceph-hdd"}})
    for _ in range(2):
        storage_classes.create(kube, described("ceph-ssd", "ceph-hdd"))
    assert kube.writes == [f"{COLLECTION}/ceph-ssd"]
    assert kube.objects[f"{COLLECTION}/ceph-hdd"] == changed
    created = kube.objects[f"{COLLECTION}/ceph-ssd"]
    assert created["parameters"] == {"availability": "nova", "type": "ceph-ssd", "fstype": "ext4"}
    assert created["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}
