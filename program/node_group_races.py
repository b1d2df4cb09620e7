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
from phalanx.errors import PhalanxError
from probes import openstack_api
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported

NODE_GROUP: Final = "openstack:containerinfra/nodeGroup:NodeGroup"

_TOO_EARLY: Final = re.compile(
    r"unexpected state '(CREATE|UPDATE)_COMPLETE', wanted target '(UPDATE_COMPLETE|DELETE_COMPLETE)'"
)
_PATIENCE: Final = 90 * 60
"""Maximum duration of an operation in seconds, as of the cluster's own updates."""
_BUSY: Final = "_IN_PROGRESS"
_PAUSE: Final = 10
"""Seconds between two queries, and until the first one: by then the conductor has begun."""


def repeated(cloud: Cloud, inputs: Mapping[str, Any], error: str) -> bool:
    """Return whether to repeat a failed operation, once Magnum has ended it; the repetition changes nothing.

    Args:
        cloud: The stack's OpenStack project.
        inputs: Inputs of the node group.
        error: Error of the provider.

    Raises:
        PhalanxError: Magnum cannot be asked, or has not ended it in time.
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

    It raises a `PhalanxError` if Magnum cannot be asked, or has not ended the update in time.
    """

    async def wait(args: ResourceHookArgs) -> None:
        await in_thread(_await_end, cloud, str((args.new_inputs or {})["clusterId"]))

    return wait


def _await_end(cloud: Cloud, cluster: str) -> None:
    time.sleep(_PAUSE)
    with reported(f"cannot determine whether Magnum has changed the cluster {cluster}: "):
        magnum = connect(cloud, timeout=PATIENT_TIMEOUT).container_infrastructure_management
        status = last_answer(
            lambda: _status(magnum, cluster), lambda found: not found.endswith(_BUSY), patience=_PATIENCE, pause=_PAUSE
        )
    if status.endswith(_BUSY):
        raise PhalanxError(
            f"the cluster {cluster} is still in status {status} after {_PATIENCE // 60} minutes: see `openstack coe "
            f"nodegroup list {cluster}`, and run `pulumi up` again once Magnum has ended the operation"
        )


def _status(magnum: Any, cluster: str) -> str:
    """Return the status of a cluster, empty if it does not exist."""
    found = openstack_api.get(magnum, f"/clusters/{cluster}")
    return str(found["status"]) if found else ""
