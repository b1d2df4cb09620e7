"""StorageClasses that magnum-capi-helm makes for Cinder's volume types (`csi-cinder.yaml` of cluster-addons)."""

from typing import Final

from sandbox.cluster.description import Description, StorageClass
from sandbox.cluster.kube import Kube, Object
from sandbox.cluster.volumes import DEFAULT_FILESYSTEM, PROVISIONER

COLLECTION: Final = "/apis/storage.k8s.io/v1/storageclasses"


def create(kube: Kube, description: Description) -> None:
    """Create the StorageClasses that do not exist; Kubernetes refuses most changes of the others."""
    for each in description.storage_classes:
        if kube.get(f"{COLLECTION}/{each.name}") is None:
            kube.create(COLLECTION, manifest(each))


def manifest(storage_class: StorageClass) -> Object:
    """Return the object."""
    default = {"storageclass.kubernetes.io/is-default-class": "true"} if storage_class.default else {}
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": storage_class.name, "annotations": default},
        "provisioner": PROVISIONER,
        "parameters": {
            "availability": storage_class.availability_zone,
            "type": storage_class.volume_type,
            "fstype": DEFAULT_FILESYSTEM,
        },
        "reclaimPolicy": storage_class.reclaim_policy,
        "allowVolumeExpansion": True,
        "volumeBindingMode": "WaitForFirstConsumer",
    }
