from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClass

from components.bootstrap_release import bootstrap_release
from phalanx.source import BootstrapChart

OPERATOR = "vault-secrets-operator"
"""Name of the application, its release and its namespace."""
CINDER_PROVISIONER = "cinder.csi.openstack.org"
"""CSI driver of https://github.com/kubernetes/cloud-provider-openstack."""
_DEFAULT_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}


@dataclass(frozen=True, kw_only=True)
class StorageClassArgs:
    """A StorageClass whose volumes are Cinder volumes."""

    volume_type: str
    """Cinder volume type."""
    availability_zone: str | None = None
    """Cinder availability zone; the cloud's default if None."""
    reclaim_policy: str = "Retain"
    """Reclaim policy: Retain or Delete."""
    default: bool = False
    """Whether this is the cluster's default class."""


@dataclass(frozen=True, kw_only=True)
class ClusterServicesArgs:
    """Arguments of `ClusterServices`."""

    storage_classes: Mapping[str, StorageClassArgs]
    """StorageClasses by name."""
    operator_chart: BootstrapChart
    """Chart of vault-secrets-operator."""
    operator_namespace: Mapping[str, Any]
    """Metadata of its namespace, as rendered by Phalanx."""
    role_id: pulumi.Input[str] = field(repr=False)
    """Role ID of the AppRole with which the operator reads Vault (secret)."""
    secret_id: pulumi.Input[str] = field(repr=False)
    """Secret ID of the AppRole (secret)."""
    timeout: int
    """Seconds to wait until the operator is ready."""


class ClusterServices(pulumi.ComponentResource):
    """What applications require from the cluster: StorageClasses, and vault-secrets-operator with its credentials."""

    def __init__(self, name: str, args: ClusterServicesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ClusterServices", name, None, opts)
        self._name = name
        self._child = ResourceOptions(parent=self)
        for storage_class, settings in args.storage_classes.items():
            self._storage_class(storage_class, settings)
        self._operator(args)
        self.register_outputs({})

    def _storage_class(self, name: str, settings: StorageClassArgs) -> None:
        parameters = {"type": settings.volume_type}
        if settings.availability_zone:
            parameters["availability"] = settings.availability_zone
        StorageClass(
            f"{self._name}-{name}",
            metadata=ObjectMetaArgs(name=name, annotations=_DEFAULT_CLASS if settings.default else {}),
            provisioner=CINDER_PROVISIONER,
            parameters=parameters,
            reclaim_policy=settings.reclaim_policy,
            # The volume must be in the availability zone of the pod's node.
            volume_binding_mode="WaitForFirstConsumer",
            allow_volume_expansion=True,
            opts=self._child,
        )

    def _operator(self, args: ClusterServicesArgs) -> None:
        namespace = Namespace(
            f"{self._name}-{OPERATOR}", metadata=ObjectMetaArgs(**args.operator_namespace), opts=self._child
        )
        credentials = Secret(
            f"{self._name}-vault-credentials",
            metadata=ObjectMetaArgs(name="vault-credentials", namespace=OPERATOR),
            type="Opaque",
            string_data={
                "VAULT_ROLE_ID": pulumi.Output.secret(args.role_id),
                "VAULT_SECRET_ID": pulumi.Output.secret(args.secret_id),
            },
            opts=ResourceOptions.merge(self._child, ResourceOptions(depends_on=[namespace])),
        )
        bootstrap_release(
            f"{self._name}-{OPERATOR}-release",
            OPERATOR,
            args.operator_chart,
            timeout=args.timeout,
            opts=ResourceOptions.merge(self._child, ResourceOptions(depends_on=[credentials])),
        )
