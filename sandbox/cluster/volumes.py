"""Simulates the Cinder CSI provisioner: claims get a PersistentVolume without storage.

The rules are Kubernetes': with `WaitForFirstConsumer`, a claim waits until the scheduler has chosen a node for a Pod
that uses it, otherwise it is bound at once. The volume has the class's reclaim policy, and with `Delete` it is deleted
with its claim. No Cinder volume is created, as no node could attach it.
"""

from typing import Final

from sandbox.cluster.kube import Kube, Object

PROVISIONER: Final = "cinder.csi.openstack.org"
SELECTED_NODE: Final = "volume.kubernetes.io/selected-node"
PROVISIONED_BY: Final = "pv.kubernetes.io/provisioned-by"
DEFAULT_FILESYSTEM: Final = "ext4"


def reconcile(kube: Kube) -> None:
    """Create volumes for pending claims, and delete released volumes."""
    classes = {
        each["metadata"]["name"]: each
        for each in kube.list("/apis/storage.k8s.io/v1/storageclasses")
        if each["provisioner"] == PROVISIONER
    }
    existing = {each["metadata"]["name"]: each for each in kube.list("/api/v1/persistentvolumes")}
    for claim in kube.list("/api/v1/persistentvolumeclaims"):
        storage_class = classes.get(claim["spec"].get("storageClassName", ""))
        if storage_class and needs_volume(claim, storage_class) and volume_name(claim) not in existing:
            kube.create("/api/v1/persistentvolumes", volume(claim, storage_class))
    for name, each in existing.items():
        if is_done(each):
            kube.delete(f"/api/v1/persistentvolumes/{name}")


def needs_volume(claim: Object, storage_class: Object) -> bool:
    """Return whether a volume must be created for a claim now."""
    if claim["status"].get("phase") != "Pending" or claim["spec"].get("volumeName"):
        return False
    if storage_class.get("volumeBindingMode") != "WaitForFirstConsumer":
        return True
    return SELECTED_NODE in claim["metadata"].get("annotations", {})


def volume_name(claim: Object) -> str:
    """Return the name of a claim's volume, by the convention of Kubernetes' provisioners."""
    return f"pvc-{claim['metadata']['uid']}"


def volume(claim: Object, storage_class: Object) -> Object:
    """Return the PersistentVolume for a claim, bound to it."""
    metadata, spec, parameters = claim["metadata"], claim["spec"], storage_class.get("parameters", {})
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume_name(claim), "annotations": {PROVISIONED_BY: PROVISIONER}},
        "spec": {
            "accessModes": spec["accessModes"],
            "capacity": {"storage": spec["resources"]["requests"]["storage"]},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                "name": metadata["name"],
                "namespace": metadata["namespace"],
                "uid": metadata["uid"],
            },
            "csi": {
                "driver": PROVISIONER,
                "fsType": parameters.get("csi.storage.k8s.io/fstype", DEFAULT_FILESYSTEM),
                "volumeHandle": metadata["uid"],
            },
            "persistentVolumeReclaimPolicy": storage_class.get("reclaimPolicy", "Delete"),
            "storageClassName": spec["storageClassName"],
            "volumeMode": spec.get("volumeMode", "Filesystem"),
        },
    }


def is_done(each: Object) -> bool:
    """Return whether a volume is the provisioner's, released, and has the reclaim policy `Delete`."""
    facts = (
        each["metadata"].get("annotations", {}).get(PROVISIONED_BY),
        each["status"].get("phase"),
        each["spec"]["persistentVolumeReclaimPolicy"],
    )
    return facts == (PROVISIONER, "Released", "Delete")
