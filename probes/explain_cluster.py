"""The reasons why Magnum did not create a cluster or node group."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from probes import openstack_api
from probes.namespace_causes import one_line

if TYPE_CHECKING:
    from openstack.connection import Connection


def explain_cluster(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return the reasons that Magnum reports for a cluster.

    Args:
        connection: Connection to the project.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets; empty if the cluster is complete or does not exist.

    Raises:
        openstack.exceptions.SDKException: Magnum cannot be reached, or refuses the request.
    """
    return _explain(connection, inputs["name"])


def explain_node_group(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return the reasons that Magnum reports for a node group and its cluster, as `explain_cluster` does."""
    return _explain(connection, inputs["clusterId"])


def _explain(connection: "Connection", cluster: str) -> list[str]:
    found = _get(connection, f"/clusters/{cluster}")
    return [*_cluster(found), *_node_groups(connection, found)] if found else []


def _cluster(found: Mapping[str, Any]) -> Iterator[str]:
    if _unfinished(found):
        yield f"Magnum's cluster {found['name']}: {one_line(found['status'], found.get('status_reason'))}"
    # With the Heat driver these are the failed resources of its stack, otherwise node groups.
    for name, reason in (found.get("faults") or {}).items():
        if reason and reason not in (found.get("status_reason") or ""):
            yield f"  {name}: {one_line(None, reason)}"


def _node_groups(connection: "Connection", cluster: Mapping[str, Any]) -> Iterator[str]:
    path = f"/clusters/{cluster['uuid']}/nodegroups"
    known = f"{cluster.get('status_reason')} {cluster.get('faults')}"
    for listed in (_get(connection, path) or {}).get("nodegroups", []):
        if _unfinished(listed):
            group = _get(connection, f"{path}/{listed['uuid']}") or listed
            if not group.get("status_reason") or group["status_reason"] not in known:
                yield f"node group {group['name']}: {one_line(group['status'], group.get('status_reason'))}"


def _unfinished(found: Mapping[str, Any]) -> bool:
    return not (found.get("status") or "").endswith("_COMPLETE")


def _get(connection: "Connection", path: str) -> dict[str, Any] | None:
    # Not with the SDK's resource, whose status_reason is the field `reason`, which Magnum does not have.
    return openstack_api.get(connection.container_infrastructure_management, path, openstack_api.NODE_GROUPS)
