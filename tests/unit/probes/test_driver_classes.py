from typing import Any

import pytest

from config.names import cloud_name
from probes.driver_classes import class_name
from tests.unit.probes import recorded_magnum
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.probes.preflight import SHARES, check, only
from tests.unit.sample import HEAT, environment

COLLIDING: dict[str, Any] = {
    "applications": {
        "storageClasses": {"ceph-hdd": {"volumeType": "ceph-hdd"}},
        "databaseStorageClass": "ceph-hdd",
    }
}


def test_a_class_of_the_stack_must_not_be_one_of_the_driver(project: FakeProject) -> None:
    assert only(check(environment(**COLLIDING))) == (
        "rsp:applications.storageClasses.ceph-hdd: Magnum's Cluster API driver makes a StorageClass of this name for "
        "the volume type `ceph-hdd`, and both would change it: choose another name, such as `rsp-ceph-hdd`, here and "
        "databaseStorageClass (docs/howto/storage-classes.md)"
    )
    assert [each for each in check(environment(**HEAT, **COLLIDING)) if each.fatal] == []
    project.volume_types = named("ceph-ssd", "hdd")
    assert not [each for each in check(environment(**COLLIDING)) if "both would change it" in each.what]


def test_the_volumes_of_another_stack_have_no_claims_of_this_one(project: FakeProject) -> None:
    project.volumes = named(cloud_name("test-two", "nfs-data"))
    assert "both would change it" in only([each for each in check(environment(**COLLIDING)) if each.fatal])


@pytest.mark.parametrize("left", ["cluster", "volume", "share"])
def test_claims_that_exist_keep_their_class(project: FakeProject, left: str) -> None:
    settings = environment(**(SHARES if left == "share" else {}), **COLLIDING)
    if left == "share":
        attributes = {"size": 50, "share_protocol": "NFS", "share_type": "cephfs-nfs", "share_network_id": None}
        project.shares = named(cloud_name("test", "share-jhome"), **attributes)
    elif left == "cluster":
        project.clusters["rsp-test-cluster"] = recorded_magnum.cluster(flavor_id="id-of-m1.medium")
        project.templates["template-uuid"] = recorded_magnum.template()
    else:
        attributes = {"size": 100, "volume_type": "ceph-hdd", "availability_zone": "nova"}
        project.volumes = named(cloud_name("test", "nfs-data"), **attributes)
    (problem,) = [each for each in check(settings) if "both would change it" in each.what]
    assert not problem.fatal
    assert "leave its reclaimPolicy Retain" in problem.what


@pytest.mark.parametrize(
    ("volume_type", "name"), [("ceph-hdd", "ceph-hdd"), ("__DEFAULT__", "default"), ("Fast SSD (x2)", "fast-ssd-x2")]
)
def test_names_of_the_drivers_classes(volume_type: str, name: str) -> None:
    assert class_name(volume_type) == name


@pytest.mark.usefixtures("project")
def test_the_zone_of_the_drivers_classes_must_exist() -> None:
    settings = environment(clusters__cluster__labels={"csi_cinder_availability_zone": "az-9"})
    assert only(check(settings)) == (
        "rsp:clusters.cluster.labels.csi_cinder_availability_zone: the cloud has no Cinder availability zone `az-9`; "
        "it has: nova"
    )
