"""Wait until Magnum has ended an operation on a cluster or node group that the provider takes as ended too early.

Magnum's API answers before its conductor sets the status. If the provider's first query is faster, it sees the status
from before the operation: it gives up on a node group, or, if that status is the end of another update, returns at
once, although Magnum carries the operation out (``StateChangeConf`` in
resource_openstack_containerinfra_nodegroup_v1.go and resource_openstack_containerinfra_cluster_v1.go of
terraform-provider-openstack).
"""

import re
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from config.cloud import Cloud
from config.resource_types import CLUSTER, NODE_GROUP
from phalanx.errors import PhalanxError
from probes import magnum_api
from probes.explain_openstack import retry_update
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported

_TOO_EARLY: Final = re.compile(
    r"unexpected state '(CREATE|UPDATE)_COMPLETE', wanted target '(UPDATE_COMPLETE|DELETE_COMPLETE)'"
)
_PATIENCE: Final = 90 * 60
"""Maximum duration of an operation in seconds, the same as for the cluster's own updates."""
_PAUSE: Final = 10
"""Seconds between two queries, and until the first one: by then the conductor has begun."""


def repeat_once_ended(cloud: Cloud, inputs: Mapping[str, Any], error: str) -> bool:
    """Wait until Magnum has ended an operation on which the provider gave up too early; return whether to repeat it.

    The repetition changes nothing.

    Args:
        cloud: The stack's OpenStack project.
        inputs: Inputs of the node group.
        error: Error of the provider.

    Raises:
        PhalanxError: Magnum cannot be reached, or has not ended the operation in time.
    """
    if not _TOO_EARLY.search(error):
        return False
    _await_end(cloud, inputs["clusterId"])
    return True


def wait_for_updates(cloud: Cloud) -> ResourceTransformation:
    """Return a transformation that makes an update of a cluster or node group last until Magnum has ended it.

    Otherwise the next operations would find a cluster that is still being updated, which Magnum refuses, or that lacks
    nodes.

    Args:
        cloud: The stack's OpenStack project.
    """
    binding = ResourceHookBinding(after_update=[ResourceHook("magnum-updated", updated(cloud))])
    return bind_hooks({NODE_GROUP: binding, CLUSTER: binding})


def updated(cloud: Cloud) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return a hook that waits until Magnum has ended the update of a cluster or node group.

    It raises a `PhalanxError` if the update has failed or not ended in time, or if Magnum cannot be reached.
    """

    async def wait(args: ResourceHookArgs) -> None:
        cluster = (args.new_inputs or {}).get("clusterId") or args.id
        found = await in_thread(_await_end, cloud, str(cluster))
        if found and str(found["status"]).endswith("_FAILED"):
            name = found.get("name", cluster)
            raise PhalanxError(
                f"Magnum could not update the cluster {name}: {found.get('status_reason')}: see `openstack coe cluster "
                f"show {name}`; once the cause is removed, {retry_update(name)}"
            )

    return wait


def _await_end(cloud: Cloud, cluster: str) -> Mapping[str, Any] | None:
    """Return the cluster once Magnum has ended its operation; None if the cluster does not exist."""
    time.sleep(_PAUSE)
    with reported(f"cannot determine whether Magnum has changed the cluster {cluster}: "):
        connection = connect(cloud, timeout=PATIENT_TIMEOUT)
        found = last_answer(
            lambda: magnum_api.cluster(connection, cluster),
            lambda found: not _busy(found),
            patience=_PATIENCE,
            pause=_PAUSE,
        )
    if found and _busy(found):
        raise PhalanxError(
            f"the cluster {cluster} is still in status {found['status']} after {_PATIENCE // 60} minutes: see "
            f"`openstack coe nodegroup list {cluster}`, and run `pulumi up` again once Magnum has ended the operation"
        )
    return found


def _busy(found: Mapping[str, Any] | None) -> bool:
    return found is not None and str(found["status"]).endswith("_IN_PROGRESS")
