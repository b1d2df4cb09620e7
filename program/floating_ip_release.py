"""Wait for a floating IP before it is associated with another port."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from config.cloud import Cloud
from phalanx.errors import PhalanxError
from probes import floating_ip
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported

if TYPE_CHECKING:
    from openstack.connection import Connection

PATIENCE = 600
"""Seconds to wait: Octavia takes some minutes to delete a load balancer with amphorae."""

_PAUSE = 2
"""Seconds between two queries."""


class FloatingIpInUseError(PhalanxError):
    """A floating IP is associated with another port."""


def wait_for_release(cloud: Cloud) -> ResourceTransformation:
    """Return a transformation that delays the association of a floating IP until the address is free.

    Neutron would otherwise take the address from the port that has it. The cloud controller may be deleting the load
    balancer of that port, and Neutron disassociates a floating IP from a deleted port.

    Args:
        cloud: The stack's OpenStack project.
    """
    hook = ResourceHook("floating-ip-released", before_association(cloud))
    token = "openstack:networking/floatingIpAssociate:FloatingIpAssociate"  # noqa: S105  # a type token
    return bind_hooks({token: ResourceHookBinding(before_create=[hook])})


def before_association(cloud: Cloud) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return the hook, which raises `FloatingIpInUseError`, or a `PhalanxError` if Neutron does not answer."""

    async def wait(args: ResourceHookArgs) -> None:
        inputs = args.new_inputs or {}
        await in_thread(_wait, cloud, inputs["floatingIp"], inputs["portId"])

    return wait


def _wait(cloud: Cloud, address: str, port: str) -> None:
    with reported(f"cannot determine whether {address} is in use: "):
        await_release(connect(cloud, timeout=PATIENT_TIMEOUT), address, port)


def await_release(connection: "Connection", address: str, wanted: str) -> None:
    """Wait until a floating IP has no port other than the wanted one.

    Raises:
        FloatingIpInUseError: Another port still has it after `PATIENCE` seconds.
    """
    free = (None, wanted)
    port = last_answer(
        lambda: floating_ip.port_of(connection, address), free.__contains__, patience=PATIENCE, pause=_PAUSE
    )
    if port not in free:
        raise FloatingIpInUseError(
            f"the floating IP {address} is still associated with port {port}: find the load balancer by "
            f"`openstack loadbalancer list --vip-port-id {port}`. If it is the cloud controller's, see the events of "
            "`kubectl -n ingress-nginx describe service`; delete it if nothing else does, then run `pulumi up` again"
        )
