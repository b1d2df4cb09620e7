import pulumi
import pulumi_kubernetes as kubernetes

from components.persistent_volumes import PersistentVolumes, PersistentVolumesArgs
from tests.unit.recording import ProgramRunner
from wiring.claimed_volumes import ClaimedVolume

ID = "6a3c6ab7-3f5b-4d0a-9e34-9c6f5b1f6f0e"


def test_a_volume_is_reserved_for_its_claim(run_program: ProgramRunner) -> None:
    volume = ClaimedVolume(
        namespace="postgres",
        name="postgres-physpvc",
        application="postgres",
        volume=ID,
        storage_class="ceph-hdd",
        size=8,
    )

    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="kubeconfig")
        args = PersistentVolumesArgs(volumes=[volume])
        PersistentVolumes("persistent-volumes", args, pulumi.ResourceOptions(providers=[provider]))

    found = run_program(program).one("PersistentVolume", "persistent-volumes-postgres-postgres-physpvc")
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
