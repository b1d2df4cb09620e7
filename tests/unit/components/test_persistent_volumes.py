from dataclasses import replace

import pulumi
import pulumi_kubernetes as kubernetes

from components.persistent_volumes import PersistentVolumes, PersistentVolumesArgs
from tests.unit.recording import ProgramRunner, Recording
from wiring.claimed_volumes import ClaimedVolume

ID = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"


VOLUME = ClaimedVolume(
    namespace="postgres",
    name="postgres-physpvc",
    application="postgres",
    volume=ID,
    storage_class="ceph-hdd",
    size=8,
)


def make(run_program: ProgramRunner, *volumes: ClaimedVolume) -> Recording:
    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        args = PersistentVolumesArgs(volumes=volumes)
        PersistentVolumes("persistent-volumes", args, pulumi.ResourceOptions(providers=[provider]))

    return run_program(program)


def test_a_volume_is_reserved_for_its_claim(run_program: ProgramRunner) -> None:
    found = make(run_program, VOLUME).one("PersistentVolume", "persistent-volumes-postgres/postgres-physpvc")
    assert found.inputs["metadata"] == {"name": f"cinder-{ID}"}
    assert found.inputs["spec"] == {
        "accessModes": ["ReadWriteOnce"],
        "capacity": {"storage": "8Gi"},
        "storageClassName": "ceph-hdd",
        "persistentVolumeReclaimPolicy": "Retain",
        "claimRef": {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "namespace": "postgres",
            "name": "postgres-physpvc",
        },
        "csi": {"driver": "cinder.csi.openstack.org", "volumeHandle": ID, "fsType": "ext4"},
    }


def test_claims_whose_names_are_the_same_with_their_namespaces_have_a_volume_each(run_program: ProgramRunner) -> None:
    volumes = [replace(VOLUME, namespace="a-b", name="c"), replace(VOLUME, namespace="a", name="b-c")]
    assert len({each.name for each in make(run_program, *volumes).of("PersistentVolume")}) == len(volumes)
