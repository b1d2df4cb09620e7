"""Resize the default workers before the provider updates their cluster, which not every driver of Magnum lets it do.

The provider changes their number by ``PATCH /clusters/ID``. magnum-capi-helm implements that since 1.4.0 only; before,
the cluster is in status UPDATE_FAILED afterwards, in which Magnum refuses upgrades and further updates
(``update_cluster`` in ``magnum_capi_helm/driver.py``, ``ClusterUpdateJob`` and ``cluster_update`` in
``magnum/conductor/handlers/cluster_conductor.py``). ``POST /clusters/ID/actions/resize`` works with every driver, also
in that status, and Magnum ignores a later update to the number that the workers have.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from pulumi import (
    ResourceHook,
    ResourceHookArgs,
    ResourceHookBinding,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)

from config.cloud import Cloud
from config.resource_types import CLUSTER
from phalanx.errors import PhalanxError
from probes import magnum_api, openstack_api
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported

if TYPE_CHECKING:
    from openstack.connection import Connection

_States: TypeAlias = tuple[Mapping[str, Any], Mapping[str, Any]]
"""The default workers and the cluster as Magnum shows them."""

_COUNT: Final = "nodeCount"

_PATIENCE: Final = 90 * 60
"""Maximum duration of a resize in seconds, as of the cluster's own updates."""
_DELAY: Final = 120
"""Seconds within which Magnum's conductor begins the resize."""
_PAUSE: Final = 10
"""Seconds between two queries, and until the first one."""


def resize_first(cloud: Cloud) -> ResourceTransformation:
    """Return a transformation after which the default workers are resized before an update of their cluster.

    Args:
        cloud: The stack's OpenStack project.
    """
    hook = ResourceHook("magnum-resize", before_update(cloud))
    bind = bind_hooks({CLUSTER: ResourceHookBinding(before_update=[hook])})

    def unless_autoscaled(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        return None if _COUNT in (args.opts.ignore_changes or []) else bind(args)

    return unless_autoscaled


def before_update(cloud: Cloud) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return a hook that gives the default workers their new number, and waits until Magnum has done it.

    It raises a `PhalanxError` if the resize is refused, has failed or not ended in time, or if Magnum does not answer.
    """

    async def resize(args: ResourceHookArgs) -> None:
        wanted, present = (args.new_inputs or {}).get(_COUNT), (args.old_outputs or {}).get(_COUNT)
        if wanted is not None and wanted != present:
            await in_thread(_resize, cloud, str(args.id), int(wanted))

    return resize


def _resize(cloud: Cloud, cluster: str, count: int) -> None:
    with reported(f"cannot resize the default workers of the cluster {cluster} to {count}: "):
        connection = connect(cloud, timeout=PATIENT_TIMEOUT)
        answer = connection.container_infrastructure_management.post(
            f"/clusters/{cluster}/actions/resize", json={"node_count": count}, headers=magnum_api.HEADERS
        )
        if not openstack_api.exists(answer):
            raise PhalanxError(f"Magnum has no cluster {cluster} any more: run `pulumi refresh`, then `pulumi up`")
        time.sleep(_PAUSE)
        last_answer(lambda: _states(connection, cluster), partial(_begun, count), patience=_DELAY, pause=_PAUSE)
        workers, found = last_answer(
            lambda: _states(connection, cluster), lambda states: not _busy(states), patience=_PATIENCE, pause=_PAUSE
        )
    unfinished = [each for each in (workers, found) if not magnum_api.is_complete(each)]
    if unfinished or workers.get("node_count") != count:
        name = found.get("name", cluster)
        reason = next((each["status_reason"] for each in unfinished if each.get("status_reason")), "it gives no reason")
        raise PhalanxError(
            f"Magnum could not resize the default workers of the cluster {name} to {count} nodes ({reason}): the "
            f"workers are in status {_status(workers)} with {workers.get('node_count')} nodes, the cluster is in "
            f"{_status(found)}: remove the cause, and run `pulumi up` again"
        )


def _begun(count: int, states: _States) -> bool:
    failed = any(_status(each).endswith("_FAILED") for each in states)
    return failed or _busy(states) or states[0].get("node_count") == count


def _busy(states: _States) -> bool:
    return any(_status(each).endswith("_IN_PROGRESS") for each in states)


def _states(connection: "Connection", cluster: str) -> _States:
    """Return the default workers and the cluster as Magnum shows them.

    Magnum sets the number and status of the workers first, then calls the driver, and then sets the cluster's status.
    """
    workers = magnum_api.node_group(connection, cluster, "default-worker")
    return workers or {}, magnum_api.cluster(connection, cluster) or {}


def _status(found: Mapping[str, Any]) -> str:
    return str(found.get("status"))
