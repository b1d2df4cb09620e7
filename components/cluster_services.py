from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs
from pulumi_kubernetes.storage.v1 import StorageClass

from components.bootstrap_release import bootstrap_release
from config.applications import StorageClass as StorageClassSettings
from phalanx.source import BootstrapChart

OPERATOR = "vault-secrets-operator"
"""The application, its release and its namespace."""
CINDER_PROVISIONER = "cinder.csi.openstack.org"
"""The CSI driver of https://github.com/kubernetes/cloud-provider-openstack; the in-tree one is gone from Kubernetes."""
_DEFAULT_CLASS = {"storageclass.kubernetes.io/is-default-class": "true"}


@dataclass(frozen=True, kw_only=True)
class ClusterServicesArgs:
    """What ``ClusterServices`` is made from."""

    storage_classes: Mapping[str, StorageClassSettings]
    """The cluster's StorageClasses by name."""
    operator_chart: BootstrapChart
    """The chart of vault-secrets-operator."""
    operator_namespace: Mapping[str, Any]
    """Metadata of its namespace, as Phalanx renders it."""
    role_id: pulumi.Input[str] = field(repr=False)
    """Role id of the AppRole by which the operator reads Vault (secret)."""
    secret_id: pulumi.Input[str] = field(repr=False)
    """Secret id of the AppRole (secret)."""
    timeout: int
    """Seconds to wait for the operator."""


class ClusterServices(pulumi.ComponentResource):
    """What applications expect of a cluster before they are deployed: storage, and their secrets out of Vault."""

    storage_class_names: pulumi.Output[list[str]]
    """The StorageClasses that claims may name."""

    def __init__(self, name: str, args: ClusterServicesArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ClusterServices", name, {}, opts)
        self._name = name
        self._child = ResourceOptions(parent=self)

        classes = [self._storage_class(*each) for each in args.storage_classes.items()]
        self._operator(args)
        self.storage_class_names = pulumi.Output.all(*(each.metadata["name"] for each in classes))
        self.register_outputs({"storageClassNames": self.storage_class_names})

    def _storage_class(self, name: str, settings: StorageClassSettings) -> StorageClass:
        parameters = {"type": settings.volume_type}
        if settings.availability_zone:
            parameters["availability"] = settings.availability_zone
        return StorageClass(
            f"{self._name}-{name}",
            metadata=ObjectMetaArgs(name=name, annotations=_DEFAULT_CLASS if settings.default else {}),
            provisioner=CINDER_PROVISIONER,
            parameters=parameters,
            reclaim_policy=settings.reclaim_policy,
            # A volume is made where the pod is placed, not before.
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
            data={"VAULT_ROLE_ID": _base64(args.role_id), "VAULT_SECRET_ID": _base64(args.secret_id)},
            opts=ResourceOptions.merge(self._child, ResourceOptions(depends_on=[namespace])),
        )
        bootstrap_release(
            f"{self._name}-{OPERATOR}-release",
            OPERATOR,
            args.operator_chart,
            timeout=args.timeout,
            opts=ResourceOptions.merge(self._child, ResourceOptions(depends_on=[credentials])),
        )


def _base64(value: pulumi.Input[str]) -> pulumi.Output[str]:
    return pulumi.Output.secret(value).apply(lambda text: b64encode(text.encode()).decode())
