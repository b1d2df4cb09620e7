"""The reasons why a volume, server or load balancer did not become ready."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from probes import openstack_api
from probes.namespace_causes import one_line

if TYPE_CHECKING:
    from openstack.connection import Connection

_MESSAGES: Final = {"OpenStack-API-Version": "volume 3.5"}
"""Headers for Cinder's messages of one resource (Cinder's API version history)."""


def explain_volume(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return the status of a volume, with Cinder's messages to its user.

    Args:
        connection: Connection to the project.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets; empty if the volume can be used or does not exist.

    Raises:
        openstack.exceptions.SDKException: The service cannot be reached, or refuses the request.
    """
    return list(_volumes(connection, inputs["name"]))


def explain_server(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return the status of a server with Nova's reason, as `explain_volume` does."""
    # Nova treats the name as a regular expression.
    listed = connection.compute.servers(name=f"^{re.escape(inputs['name'])}$", details=False)
    found = [connection.compute.get_server(each.id) for each in listed]
    return [
        f"Nova's server {each.name}: {one_line(each.status, (each.fault or {}).get('message'))}"
        for each in found
        if each.status != "ACTIVE"
    ]


def explain_load_balancer(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return the provisioning status of a load balancer, as `explain_volume` does; Octavia has no reasons."""
    listed = connection.load_balancer.load_balancers(name=inputs["name"], project_id=connection.current_project_id)
    return [
        f"Octavia's load balancer {each.name}: provisioning status {each.provisioning_status}"
        for each in listed
        if each.provisioning_status != "ACTIVE"
    ]


def _volumes(connection: "Connection", name: str) -> Iterator[str]:
    for each in connection.block_storage.volumes(name=name):
        if each.status not in {"available", "in-use"}:
            yield f"Cinder's volume {each.name}: {each.status}"
            path = f"/messages?resource_uuid={each.id}"
            found = openstack_api.get(connection.block_storage, path, _MESSAGES) or {}
            yield from (f"  {one_line(None, message['user_message'])}" for message in found.get("messages", []))
