import json

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.storage_classes import StorageClasses
from program.platform_arguments import storage_classes
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    classes = {
        "ceph-hdd": {"volumeType": "hdd", "availabilityZone": "nova", "default": True},
        "scratch": {"volumeType": "ssd", "reclaimPolicy": "Delete"},
    }
    settings = environment(applications={"storageClasses": classes, "databaseStorageClass": "ceph-hdd"})
    args = storage_classes(settings.applications)

    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        StorageClasses("storage-classes", args, pulumi.ResourceOptions(providers=[provider]))

    return run_program(program)


def test_volumes_in_cinder_outlive_their_claims(recording: Recording) -> None:
    hdd = recording.one("StorageClass", "storage-classes-ceph-hdd").inputs
    assert hdd["provisioner"] == "cinder.csi.openstack.org"
    assert hdd["parameters"] == {"type": "hdd", "availability": "nova"}
    assert (hdd["reclaimPolicy"], hdd["volumeBindingMode"]) == ("Retain", "WaitForFirstConsumer")
    assert hdd["metadata"]["annotations"] == {"storageclass.kubernetes.io/is-default-class": "true"}


def test_a_storage_class_may_delete_its_volumes(recording: Recording) -> None:
    scratch = recording.one("StorageClass", "storage-classes-scratch").inputs
    assert scratch["reclaimPolicy"] == "Delete"
    assert scratch["parameters"] == {"type": "ssd"}
    assert "is-default-class" not in json.dumps(scratch)
