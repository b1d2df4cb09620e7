from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import (
    CSIPersistentVolumeSourceArgs,
    ObjectReferenceArgs,
    PersistentVolume,
    PersistentVolumeSpecArgs,
)
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.storage_classes import CINDER_PROVISIONER
from wiring.claimed_volumes import ClaimedVolume


@dataclass(frozen=True, kw_only=True)
class PersistentVolumesArgs:
    """Arguments of `PersistentVolumes`."""

    volumes: Sequence[ClaimedVolume]
    """The volumes and their claims."""


class PersistentVolumes(pulumi.ComponentResource):
    """PersistentVolumes for existing Cinder volumes, each reserved for a claim.

    A claim is bound to the PersistentVolume that names it, whatever its StorageClass would do otherwise
    (https://kubernetes.io/docs/concepts/storage/persistent-volumes/#reserving-a-persistentvolume).
    """

    def __init__(self, name: str, args: PersistentVolumesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:PersistentVolumes", name, None, opts)
        for each in args.volumes:
            PersistentVolume(
                f"{name}-{each.claim}",
                metadata=ObjectMetaArgs(name=name_of(each.volume)),
                spec=PersistentVolumeSpecArgs(
                    access_modes=["ReadWriteOnce"],
                    capacity={"storage": f"{each.size}Gi"},
                    storage_class_name=each.storage_class,
                    persistent_volume_reclaim_policy="Retain",
                    claim_ref=ObjectReferenceArgs(
                        api_version="v1", kind="PersistentVolumeClaim", namespace=each.namespace, name=each.name
                    ),
                    csi=CSIPersistentVolumeSourceArgs(
                        driver=CINDER_PROVISIONER, volume_handle=each.volume, fs_type="ext4"
                    ),
                ),
                opts=ResourceOptions(
                    parent=self,
                    # Kubernetes deletes no volume that a claim is bound to.
                    retain_on_delete=True,
                    # The resizer of Cinder CSI sets it, when it has enlarged the volume for a larger claim.
                    ignore_changes=["spec.capacity"],
                ),
            )
        self.register_outputs({})


def name_of(volume: str) -> str:
    """Return the name of the PersistentVolume of a Cinder volume.

    Args:
        volume: ID of the Cinder volume.
    """
    return f"cinder-{volume}"
