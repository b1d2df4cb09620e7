"""The functions that explain why a resource failed, by resource type."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from config.cloud import Cloud
from config.resource_types import APPLICATION, CLUSTER, NODE_GROUP
from probes import explain_application, explain_issuer, explain_openstack, explain_release
from probes.kubernetes_api import KubernetesApi
from probes.openstack_connection import connect

if TYPE_CHECKING:
    from openstack.connection import Connection

Inputs = Mapping[str, Any]
"""Inputs of a resource, with their names in the provider's schema."""


def _in_kubernetes(explain: Callable[[KubernetesApi, Inputs], list[str]]) -> Callable[[str, Inputs, str], list[str]]:
    return lambda kubeconfig, inputs, _: explain(KubernetesApi(kubeconfig), inputs)


def _in_openstack(explain: Callable[["Connection", str], Iterable[str]]) -> Callable[[Cloud, Inputs, str], list[str]]:
    return lambda cloud, inputs, _: [*explain(connect(cloud), inputs["name"])]


def _in_magnum(identifier: str = "name") -> Callable[[Cloud, Inputs, str], list[str]]:
    def explain(cloud: Cloud, inputs: Inputs, error: str) -> list[str]:
        connection, cluster = connect(cloud), inputs[identifier]
        known = [*explain_openstack.explain_cluster(connection, cluster)]
        return [*known, *explain_openstack.advise_on_cluster(connection, cluster, error)]

    return explain


KUBERNETES: Final = {
    "kubernetes:helm.sh/v3:Release": _in_kubernetes(explain_release.explain),
    APPLICATION: _in_kubernetes(explain_application.explain),
    f"{APPLICATION}Patch": _in_kubernetes(explain_application.explain),
    "kubernetes:cert-manager.io/v1:ClusterIssuer": _in_kubernetes(explain_issuer.explain),
}
"""Functions that explain failures of resources in Kubernetes from a kubeconfig, by resource type."""

OPENSTACK: Final = {
    "openstack:blockstorage/volume:Volume": _in_openstack(explain_openstack.explain_volume),
    "openstack:compute/instance:Instance": _in_openstack(explain_openstack.explain_server),
    "openstack:loadbalancer/loadBalancer:LoadBalancer": _in_openstack(explain_openstack.explain_load_balancer),
    "openstack:containerinfra/clusterTemplate:ClusterTemplate": lambda _, inputs, error: [
        *explain_openstack.explain_boot_volume(inputs.get("labels") or {}, error)
    ],
    CLUSTER: _in_magnum(),
    NODE_GROUP: _in_magnum("clusterId"),
    "openstack:sharedfilesystem/share:Share": _in_openstack(explain_openstack.explain_share),
}
"""Functions that explain failures of resources in OpenStack from its credentials, by resource type."""
