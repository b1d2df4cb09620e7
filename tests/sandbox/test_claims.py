"""Claims get Cinder volumes from the real driver, and it says on the claim why there is none."""

from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client
from openstack.connection import Connection

from sandbox.process import wait_for
from tests.sandbox.certificates import MagnumCluster
from tests.sandbox.objects import Objects

NAMESPACE = "claims"
LABEL = "tests.sandbox/claims"
"""Label of the StorageClasses, which are in no namespace."""
SECONDS = 60


class Claims:
    """Claims in a namespace of this test, each with a StorageClass of its own."""

    def __init__(self, api: client.ApiClient) -> None:
        core: Any = client.CoreV1Api(api)
        storage: Any = client.StorageV1Api(api)
        self._core, self._storage = core, storage

    def prepare(self) -> None:
        """Create the namespace, without what an interrupted run has left."""
        self.clean()
        self._core.create_namespace({"metadata": {"name": NAMESPACE}})

    def create(self, name: str, size: str, **parameters: str) -> None:
        """Create a claim that is bound at once, and whose volume is deleted with it."""
        self._storage.create_storage_class(
            {
                "metadata": {"name": f"{NAMESPACE}-{name}", "labels": {LABEL: "true"}},
                "provisioner": "cinder.csi.openstack.org",
                "parameters": parameters,
                "volumeBindingMode": "Immediate",
                "reclaimPolicy": "Delete",
            }
        )
        spec = {
            "storageClassName": f"{NAMESPACE}-{name}",
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}},
        }
        self._core.create_namespaced_persistent_volume_claim(NAMESPACE, {"metadata": {"name": name}, "spec": spec})

    def delete(self, name: str) -> None:
        self._core.delete_namespaced_persistent_volume_claim(name, NAMESPACE)

    def phase(self, name: str) -> str:
        return str(self._core.read_namespaced_persistent_volume_claim_status(name, NAMESPACE).status.phase)

    def failures(self, name: str) -> str:
        """Return the messages of the events about failures."""
        events = self._core.list_namespaced_event(NAMESPACE, field_selector=f"involvedObject.name={name}").items
        return "\n".join(each.message for each in events if each.reason == "ProvisioningFailed")

    def clean(self) -> None:
        """Delete the namespace and the classes, and wait for the end of the namespace."""
        self._storage.delete_collection_storage_class(label_selector=LABEL)
        try:
            self._core.delete_namespace(NAMESPACE)
        except client.ApiException as error:
            if error.status not in {404, 409}:  # Absent, or being deleted already.
                raise
        only = f"metadata.name={NAMESPACE}"
        wait_for(
            lambda: not self._core.list_namespace(field_selector=only).items,
            "the namespace is deleted",
            timeout=SECONDS,
        )


@pytest.fixture(scope="module")
def claims(kubernetes: client.ApiClient) -> Iterator[Claims]:
    found = Claims(kubernetes)
    found.prepare()
    yield found
    found.clean()


def test_each_claim_of_the_platform_has_a_volume(tenant: Connection, objects: Objects, cluster: MagnumCluster) -> None:
    classes = {
        each["metadata"]["name"]: each["parameters"] for each in objects.all("storage.k8s.io/v1", "StorageClass")
    }
    name = tenant.container_infrastructure_management.get_cluster(cluster.uuid).stack_id
    claimed = objects.all("v1", "PersistentVolumeClaim")
    assert claimed
    for each in claimed:
        spec = objects.one("v1", "PersistentVolume", each["spec"]["volumeName"])["spec"]
        volume: Any = tenant.block_storage.get_volume(spec["csi"]["volumeHandle"])
        assert f"{volume.size}Gi" == spec["capacity"]["storage"]
        assert volume.volume_type == classes[each["spec"]["storageClassName"]]["type"]
        assert volume.metadata["cinder.csi.openstack.org/cluster"] == name
        assert volume.metadata["csi.storage.k8s.io/pvc/name"] == each["metadata"]["name"]


def test_a_volume_is_deleted_with_its_claim(claims: Claims, tenant: Connection) -> None:
    def volumes() -> list[str]:
        key = "csi.storage.k8s.io/pvc/namespace"
        return [each.status for each in tenant.block_storage.volumes() if each.metadata.get(key) == NAMESPACE]

    wait_for(lambda: not volumes(), "no volume of an interrupted run is left", timeout=SECONDS)
    claims.create("deleted", "2Gi", type="ceph-ssd")
    wait_for(lambda: claims.phase("deleted") == "Bound", "the claim is bound", timeout=SECONDS)
    assert len(volumes()) == 1
    claims.delete("deleted")
    wait_for(lambda: not volumes(), "the volume is deleted", timeout=SECONDS)


@pytest.mark.parametrize(
    ("name", "size", "parameters", "reason"),
    [
        ("unknown-type", "1Gi", {"type": "no-such-type"}, "code = Internal"),
        ("unknown-zone", "1Gi", {"availability": "no-such-zone"}, "code = Internal"),
        ("too-large", "5000Gi", {"type": "ceph-hdd"}, "code = ResourceExhausted"),
    ],
)
def test_a_refusal_by_cinder_is_an_event_of_the_claim(
    claims: Claims, name: str, size: str, parameters: dict[str, str], reason: str
) -> None:
    claims.create(name, size, **parameters)
    wait_for(lambda: reason in claims.failures(name), f"an event has {reason}", timeout=SECONDS)
    assert claims.phase(name) == "Pending"
