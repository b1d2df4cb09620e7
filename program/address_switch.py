"""Check whether another cluster of the platform can become the active one, and wait until it has the floating IP.

Each cluster's cloud controller owns the load balancer of its ingress-nginx, and the change of two Services moves the
address: the one that is no longer active becomes internal and releases it, then the other one takes it.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

import pulumi
from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from config.cloud import Cloud
from config.names import cloud_name
from config.resource_types import APPLICATION
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from probes import floating_ip
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from probes.problem import Problem
from program.deployed import Deployed
from program.errors import user_errors
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported
from wiring.ingress_service import INGRESS_NGINX

if TYPE_CHECKING:
    from openstack.connection import Connection

PATIENCE: Final = 600
"""Seconds to wait: the other cluster's ingress-nginx changes in the same run, after its Argo CD."""

_PAUSE: Final = 2
"""Seconds between two queries."""

_WHERE: Final = "rsp:activeCluster"
_GUIDE: Final = "docs/runbooks/blue-green.md"


class AddressNotMovedError(PhalanxError):
    """A cluster has not released the floating IP, or the other one has not taken it."""


def problems(config: StackConfig, before: Deployed) -> Iterator[Problem]:
    """Yield the reasons from the stack's outputs why users would lose the platform by a change of the clusters.

    Args:
        config: The stack configuration.
        before: What the last complete run has deployed.
    """
    active, old = config.active, before.active
    if not old or active == old:
        return
    lost = f"({_GUIDE}). If {old} is lost, set rsp:enforcePreflight to false for this run"
    if old not in config.clusters:
        what = (
            f"the cluster {old} serves users, but is not in it: put it back, switch to another cluster with "
            f"{_WHERE}, and then remove it {lost}"
        )
        yield Problem(where="rsp:clusters", what=what)
        return
    if active not in before.clusters:
        what = (
            f"not all applications are deployed in {active} yet: set it to {old}, run `pulumi up` until it succeeds, "
            f"and then switch {lost}"
        )
        yield Problem(where=_WHERE, what=what)
    if config.ingress.mode == "cloud-controller" and not config.applications.synced_and_awaited(INGRESS_NGINX):
        what = (
            f"the address does not move by itself, as no run waits for {INGRESS_NGINX}: sync it in {old}, which "
            f"releases the address, then in {active}"
        )
        yield Problem(where=_WHERE, what=what, fatal=False)


def wait_until_free(cluster: str, config: StackConfig, address: pulumi.Input[str]) -> list[ResourceTransformation]:
    """Return transformations that delay the update of the active cluster's ingress-nginx until the address is free.

    Otherwise the cloud controller would fail, and retry at growing intervals.

    Args:
        cluster: Name of the cluster in the configuration.
        config: The stack configuration.
        address: The floating IP.
    """
    if not _moves(config) or cluster != config.active:
        return []
    stack, name = pulumi.get_stack(), cloud_name(pulumi.get_stack(), cluster)

    async def wait(args: ResourceHookArgs) -> None:
        # Properties that contain secrets are Outputs.
        inputs: Any = await pulumi.Output.from_input(args.new_inputs or {}).future()
        if inputs["metadata"]["name"] == INGRESS_NGINX:
            found = await pulumi.Output.from_input(address).future()
            await in_thread(_wait, config.cloud, str(found), stack, lambda owner: owner in (None, name))

    hook = ResourceHook("address-released", wait)
    return [bind_hooks({APPLICATION: ResourceHookBinding(before_update=[hook])})]


def await_switch(config: StackConfig, address: pulumi.Output[str], ready: pulumi.Output[Any]) -> pulumi.Output[Any]:
    """Return an Output that resolves once the active cluster has the address, and fails if it does not take it.

    Every run of `pulumi up` checks this, even without changes: for the engine, an update is complete even if a hook
    after it fails, so the next run would not wait again. Argo CD cannot tell, as the Service keeps the status of its
    internal load balancer until it has the address.

    Args:
        config: The stack configuration.
        address: The floating IP.
        ready: An Output that resolves once ingress-nginx of the active cluster is deployed.
    """
    if not _moves(config) or pulumi.runtime.is_dry_run():
        return ready
    stack, name = pulumi.get_stack(), cloud_name(pulumi.get_stack(), config.active)

    async def wait(known: Sequence[Any]) -> None:
        with user_errors():
            await in_thread(_wait, config.cloud, str(known[0]), stack, lambda owner: owner == name)

    return pulumi.Output.all(address, ready).apply(wait)


def _moves(config: StackConfig) -> bool:
    """Return whether runs move the address between clusters."""
    by_runs = config.applications.synced_and_awaited(INGRESS_NGINX)
    return len(config.clusters) > 1 and config.ingress.mode == "cloud-controller" and by_runs


def _wait(cloud: Cloud, address: str, stack: str, expected: Callable[[str | None], bool]) -> None:
    with reported(f"cannot determine which cluster has {address}: "):
        await_cluster(connect(cloud, timeout=PATIENT_TIMEOUT), address, stack, expected)


def await_cluster(connection: "Connection", address: str, stack: str, expected: Callable[[str | None], bool]) -> None:
    """Wait until the cluster that has a floating IP is as expected.

    Args:
        connection: Connection to the stack's project.
        address: The floating IP.
        stack: Name of the stack.
        expected: Function of the cluster's name in Magnum, None if none has the address.

    Raises:
        AddressNotMovedError: Another cluster, or none, still has the address after `PATIENCE` seconds.
    """
    found = last_answer(
        lambda: floating_ip.cluster_at_address(connection, address, stack), expected, patience=PATIENCE, pause=_PAUSE
    )
    if not expected(found):
        raise AddressNotMovedError(
            f"{address} is still at the cluster {found}: see the events of `kubectl -n ingress-nginx describe service` "
            f"there; if the cluster is lost, release the address with `openstack floating ip unset --port {address}`, "
            "then run `pulumi up` again"
            if found
            else f"no cluster has taken {address}: see the events of `kubectl -n ingress-nginx describe service` in "
            "the active cluster, then run `pulumi up` again"
        )
