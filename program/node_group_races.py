"""Wait for operations of a node group whose end the provider takes from the status of before the operation.

Magnum's API answers before its conductor sets the status. If the provider's first query is faster, it sees the status
of before the operation: it gives up, or, if that was the end of another update, returns at once, although Magnum
carries the operation out (``StateChangeConf`` in resource_openstack_containerinfra_nodegroup_v1.go of
terraform-provider-openstack).
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from config.cloud import Cloud
from probes import openstack_api
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread

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
        LoginError: OpenStack cannot be reached.
        openstack.exceptions.SDKException: Magnum cannot be reached, or refuses the request.
    """
    if not _TOO_EARLY.search(error):
        return False
    _await_end(cloud, inputs["clusterId"])
    return True


def wait_for_updates(cloud: Cloud) -> ResourceTransformation:
    """Return a transformation after which an update of a node group lasts as long as Magnum needs for it.

    Otherwise, what follows would meet a cluster that is being changed, which Magnum refuses, or that lacks new nodes.

    Args:
        cloud: The stack's OpenStack project.
    """
    return bind_hooks(
        {NODE_GROUP: ResourceHookBinding(after_update=[ResourceHook("node-group-updated", updated(cloud))])}
    )


def updated(cloud: Cloud) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return a hook that waits until Magnum has ended the update of a node group.

    It raises a LoginError or a ``openstack.exceptions.SDKException`` if Magnum cannot be asked.
    """

    async def wait(args: ResourceHookArgs) -> None:
        await in_thread(_await_end, cloud, str((args.new_inputs or {})["clusterId"]))

    return wait


def _await_end(cloud: Cloud, cluster: str) -> None:
    connection = connect(cloud, timeout=PATIENT_TIMEOUT)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        time.sleep(_PAUSE)
        found = openstack_api.get(connection.container_infrastructure_management, f"/clusters/{cluster}")
        if not found or not str(found["status"]).endswith("_IN_PROGRESS"):
            return
