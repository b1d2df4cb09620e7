"""Check, as soon as a cluster is created, that its nodes admit the platform's clients."""

from collections.abc import Awaitable, Callable

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from config.resource_types import CLUSTER
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from probes import node_ports
from probes.openstack_connection import PATIENT_TIMEOUT, connect
from program.hooks import bind_hooks, in_thread
from program.waiting import last_answer
from recovery.services import reported

_PATIENCE = 60
"""Seconds for which the rules may be late."""
_PAUSE = 10
"""Seconds between two queries."""


def require_open(config: StackConfig) -> ResourceTransformation:
    """Return a transformation after which a new cluster fails if its nodes do not admit the platform's clients.

    Otherwise only the end of the run would show it, half an hour later, without the reason.

    Args:
        config: The stack configuration.
    """
    hook = ResourceHook("node-ports-open", after_creation(config))
    return bind_hooks({CLUSTER: ResourceHookBinding(after_create=[hook])})


def after_creation(config: StackConfig) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return the hook, which raises a `PhalanxError` if clients are not admitted, or OpenStack cannot be asked."""

    async def check(args: ResourceHookArgs) -> None:
        await in_thread(_check, config, str(args.id))

    return check


def _check(config: StackConfig, cluster: str) -> None:
    with reported("cannot determine whether the nodes admit the platform's clients: "):
        connection = connect(config.cloud, timeout=PATIENT_TIMEOUT)
        closed = last_answer(
            lambda: node_ports.closed_group(connection, cluster, config.network.cidr),
            lambda found: found is None,
            patience=_PATIENCE,
            pause=_PAUSE,
        )
    if closed:
        raise PhalanxError(f"{node_ports.explain(closed)}. `pulumi up` continues with the existing cluster")
