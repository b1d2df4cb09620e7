"""The nodes of the cluster, as far as they are as configured."""

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

    No other `apply` sends a request in a preview: the run itself may have created the nodes. What a preview shows is
    what an update registers, as the addresses are unknown where the update will change them.

    If their number is not the configured one, for example while a node is being replaced, it is awaited, and after
    `PATIENCE` those that exist are returned with a warning.

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
