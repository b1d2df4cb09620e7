"""The reasons why Manila did not create a share."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from probes.namespace_causes import one_line

if TYPE_CHECKING:
    from openstack.connection import Connection


def explain(connection: "Connection", inputs: Mapping[str, Any]) -> list[str]:
    """Return Manila's messages to users about a share that is not available.

    Args:
        connection: Connection to the project.
        inputs: Inputs of the resource.

    Returns:
        Lines of text without secrets; empty if the share is available or does not exist.

    Raises:
        openstack.exceptions.SDKException: Manila cannot be reached, or refuses the request.
    """
    manila: Any = connection.shared_file_system
    share = next((each for each in manila.shares(name=inputs["name"]) if each.name == inputs["name"]), None)
    if share is None or share.status == "available":
        return []
    reasons = [one_line(None, each.user_message) for each in manila.user_messages() if each.resource_id == share.id]
    return [f"Manila's share {share.name}: {share.status}", *(f"  {each}" for each in dict.fromkeys(reasons))]
