import json

import pulumi
import pulumi_kubernetes as kubernetes
import pytest

from components.storage_classes import StorageClassArgs, StorageClasses, StorageClassesArgs
from tests.unit.recording import ProgramRunner, Recording


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        classes = {
            "ceph-hdd": StorageClassArgs(volume_type="hdd", availability_zone="nova", default=True),
            "scratch": StorageClassArgs(volume_type="ssd", reclaim_policy="Delete"),
        }
        args = StorageClassesArgs(classes=classes)
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
