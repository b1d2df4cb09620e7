from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClass

CINDER_PROVISIONER = "cinder.csi.openstack.org"
"""CSI driver of https://github.com/kubernetes/cloud-provider-openstack."""
_DEFAULT_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}


@dataclass(frozen=True, kw_only=True)
class StorageClassArgs:
    """A StorageClass whose volumes are Cinder volumes."""

    volume_type: str
    """Cinder volume type."""
    availability_zone: str | None
    """Cinder availability zone; the cloud's default if None."""
    reclaim_policy: str
    """Reclaim policy: Retain or Delete."""
    default: bool
    """Whether this is the cluster's default class."""


@dataclass(frozen=True, kw_only=True)
class StorageClassesArgs:
    """Arguments of `StorageClasses`."""

    classes: Mapping[str, StorageClassArgs]
    """StorageClasses by name."""


class StorageClasses(pulumi.ComponentResource):
    """The StorageClasses of the cluster, whose volumes are Cinder volumes."""

    def __init__(self, name: str, args: StorageClassesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:StorageClasses", name, None, opts)
        for storage_class, settings in args.classes.items():
            parameters = {"type": settings.volume_type}
            if settings.availability_zone:
                parameters["availability"] = settings.availability_zone
            StorageClass(
                f"{name}-{storage_class}",
                metadata=ObjectMetaArgs(name=storage_class, annotations=_DEFAULT_CLASS if settings.default else {}),
                provisioner=CINDER_PROVISIONER,
                parameters=parameters,
                reclaim_policy=settings.reclaim_policy,
                # The volume must be in the availability zone of the pod's node.
                volume_binding_mode="WaitForFirstConsumer",
                allow_volume_expansion=True,
                opts=ResourceOptions(
                    parent=self,
                    # The API server refuses an update of the reclaim policy, for which the provider plans no
                    # replacement.
                    replace_on_changes=["reclaimPolicy"],
                    delete_before_replace=True,
                ),
            )
        self.register_outputs({})
