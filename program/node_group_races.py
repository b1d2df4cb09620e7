"""Repeat an operation of a node group that the provider takes for failed before Magnum has begun it.

Magnum's API answers before its conductor sets the status. If the provider's first query is faster, it sees the status
of before the operation and gives up, although Magnum carries the operation out (``StateChangeConf`` in
resource_openstack_containerinfra_nodegroup_v1.go of terraform-provider-openstack).
"""

import re
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from config.cloud import Cloud
from probes import openstack_api
from probes.openstack_connection import connect
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection

NODE_GROUP: Final = "openstack:containerinfra/nodeGroup:NodeGroup"

_TOO_EARLY: Final = re.compile(
    r"unexpected state '(CREATE|UPDATE)_COMPLETE', wanted target '(UPDATE_COMPLETE|DELETE_COMPLETE)'"
)
_PATIENCE: Final = 90 * 60
"""Maximum duration of an operation in seconds, as of the cluster's own updates."""
_PAUSE: Final = 10
"""Seconds between two queries, and until the first one: by then the conductor has begun."""


def repeated(cloud: Cloud, inputs: Mapping[str, Any], error: str) -> bool:
    """Return whether to repeat a failed operation, once Magnum has ended it; the repetition changes nothing.

    Args:
        cloud: The stack's OpenStack project.
        inputs: Inputs of the node group.
        error: Error of the provider.

    Raises:
        ConnectionError: OpenStack cannot be reached.
        openstack.exceptions.SDKException: Magnum cannot be reached, or refuses the request.
    """
    if not _TOO_EARLY.search(error):
        return False
    connection = connect(cloud)
    if isinstance(connection, Problem):
        raise ConnectionError(str(connection))
    _await_end(connection, inputs["clusterId"])
    return True


def _await_end(connection: "Connection", cluster: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        time.sleep(_PAUSE)
        found = openstack_api.get(connection.container_infrastructure_management, f"/clusters/{cluster}")
        if not found or not str(found["status"]).endswith("_IN_PROGRESS"):
            return
