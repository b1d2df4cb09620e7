"""The description of a cluster that its control plane is started from: `cluster.json` in its directory."""

import dataclasses
from typing import Any

from magnum.common import clients
from magnum.common import context as magnum_context
from oslo_config import cfg

from rsp_sandbox_drivers import helm_values
from rsp_sandbox_drivers.stack import Stack


def describe(
    stack: Stack,
    cluster: Any,
    kubernetes_version: str,
    load_balancers: helm_values.LoadBalancers,
    storage_classes: list[helm_values.StorageClass],
) -> dict[str, Any]:
    """Return the content of `cluster.json`, as defined by `Description` in `sandbox.cluster`."""
    network = stack.network
    return {
        "uuid": cluster.uuid,
        "name": cluster.name,
        "cluster_api_name": cluster.stack_id,
        "project_id": cluster.project_id,
        "kubernetes_version": kubernetes_version,
        "load_balancers": dataclasses.asdict(load_balancers),
        "storage_classes": [dataclasses.asdict(each) for each in storage_classes],
        "network": {
            "id": network.id,
            "name": network.name,
            "subnet_id": network.subnet_id,
            "external_id": network.external_id,
        },
        "trust": _trust(cluster),
        "nodes": [node for group in cluster.nodegroups for node in _nodes(stack, group)],
    }


def _trust(cluster: Any) -> dict[str, str] | None:
    """Return the trust of the cluster's cloud controller; None if Magnum gives clusters no trust.

    It replaces the application credential that magnum-capi-helm creates.
    """
    if not cfg.CONF.trust.cluster_user_trust:
        return None
    osc = clients.OpenStackClients(magnum_context.make_cluster_context(cluster))
    return {
        "auth_url": osc.auth_url,
        "region": cfg.CONF.nova_client.region_name,
        "user_id": cluster.trustee_user_id,
        "password": cluster.trustee_password,
        "trust_id": cluster.trust_id,
    }


def _nodes(stack: Stack, group: Any) -> list[dict[str, Any]]:
    if group.status == "DELETE_IN_PROGRESS":
        return []
    flavor = stack.flavor(group)
    return [
        {
            "name": server.name,
            "server_id": server.id,
            "address": stack.address(server),
            "role": group.role,
            "node_group": group.name,
            "zone": getattr(server, "OS-EXT-AZ:availability_zone", ""),
            "flavor": flavor.name,
            "vcpus": flavor.vcpus,
            "memory_mib": flavor.ram,
            "disk_gib": flavor.disk,
        }
        for server in stack.nodes(group)
    ]
