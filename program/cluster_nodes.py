"""Addresses of the nodes of a cluster, once their number is the configured one."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pulumi

from components.magnum_cluster import MagnumCluster
from phalanx.errors import PhalanxError
from probes import node_addresses
from probes.kubernetes_api import KubernetesError
from program.errors import user_errors
from program.hooks import in_thread

PATIENCE = 300
"""Seconds to wait for the configured number of nodes: a node registers itself after Magnum has created its server."""

_PAUSE = 5
"""Seconds between two queries."""


def addresses(cluster: MagnumCluster, count: int) -> pulumi.Output[Sequence[str]]:
    """Return the addresses of the nodes; unknown in a preview that would change their number.

    This is the only `apply` whose request decides what is registered, as the run itself may have created the nodes. A
    preview shows what the update registers: addresses that the update will change are unknown.

    If their number differs from the configured one, for example while a node is being replaced, an update waits up to
    `PATIENCE` seconds, and then returns those that exist, with a warning.

    Args:
        cluster: The cluster.
        count: Configured number of nodes.
    """

    async def query(kubeconfig: str) -> Any:
        with user_errors():
            return await _settled(kubeconfig, count)

    return pulumi.Output.unsecret(cluster.access_to_nodes.apply(query))


async def _settled(kubeconfig: str, count: int) -> Any:
    deadline = time.monotonic() + PATIENCE
    while True:
        late = time.monotonic() > deadline
        try:
            found = await in_thread(node_addresses.addresses, kubeconfig)
        except KubernetesError:
            if late or pulumi.runtime.is_dry_run():
                raise
            found = []
        if len(found) == count:
            return found
        if pulumi.runtime.is_dry_run():
            return pulumi.UNKNOWN
        if late:
            break
        await asyncio.sleep(_PAUSE)
    if not found:
        raise PhalanxError(
            "the cluster has no nodes that the load balancer could forward to: check `kubectl get nodes`"
        )
    pulumi.warn(
        f"the cluster has {len(found)} nodes, but {count} are configured: the load balancer forwards to those that "
        "exist; check `kubectl get nodes`, and run `pulumi refresh` and `pulumi up` when their number is right"
    )
    return found
