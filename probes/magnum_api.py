"""Clusters and node groups as Magnum's API shows them.

Not as the SDK's resources, whose ``status_reason`` is the field ``reason``, which Magnum does not have.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from probes import openstack_api

if TYPE_CHECKING:
    from openstack.connection import Connection

HEADERS: Final[Mapping[str, str]] = {"OpenStack-API-Version": "container-infra 1.9"}
"""Headers for node groups. For its argument ``microversion`` the SDK sends the service type
"container-infrastructure-management", which Magnum rejects."""


def cluster(connection: "Connection", name: str) -> dict[str, Any] | None:
    """Return a cluster by name or ID, or None if it does not exist.

    Raises:
        openstack.exceptions.SDKException: Magnum cannot be reached, or refuses the request; also of the others.
    """
    return _get(connection, name)


def node_groups(connection: "Connection", of: str) -> list[dict[str, Any]]:
    """Return the node groups of a cluster, by its name or ID; none if it does not exist."""
    listed = (_get(connection, f"{of}/nodegroups") or {}).get("nodegroups", [])
    # The list has no reasons. A group that has been deleted since stays as it was in the list.
    return [each if is_complete(each) else node_group(connection, of, each["uuid"]) or each for each in listed]


def node_group(connection: "Connection", of: str, name: str) -> dict[str, Any] | None:
    """Return a node group of a cluster, each by name or ID, or None if it does not exist."""
    return _get(connection, f"{of}/nodegroups/{name}")


def is_complete(found: Mapping[str, Any]) -> bool:
    """Return whether the last operation on a cluster or node group has succeeded."""
    return (found.get("status") or "").endswith("_COMPLETE")


def _get(connection: "Connection", path: str) -> dict[str, Any] | None:
    return openstack_api.get(connection.container_infrastructure_management, f"/clusters/{path}", HEADERS)
