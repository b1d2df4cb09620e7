"""Health of OpenStack's services, and the project's quotas."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from config.stack_config import StackConfig
from probes import allowances, existing_data
from probes.health.finding import Finding, critical, ok, warning
from probes.needs import Flavor
from probes.openstack_services import Service
from probes.quota import Row, resource

if TYPE_CHECKING:
    from openstack.connection import Connection

KEYSTONE: Final = "Keystone"

_ROLES_GUIDE: Final = "docs/howto/new-environment.md#the-openstack-user"

_EXHAUSTIBLE: Final = ("instances", "cores", "ram", "volumes", "gigabytes", "load_balancers")
"""Resources of which a cluster needs more to replace a failed node or to create a volume."""


def keystone(connection: "Connection") -> Iterator[Finding]:
    """Check that Keystone issues a token, which the connection has shown."""
    yield ok(KEYSTONE, f"issues tokens for the project {connection.current_project.name}")


def service(connection: "Connection", service: Service) -> Iterator[Finding]:
    """Check that a service answers a request to its database.

    Args:
        connection: Connection to the project.
        service: The service.
    """
    from keystoneauth1.exceptions import EndpointNotFound

    try:
        answer = getattr(connection, service.proxy).get(service.path)
    except EndpointNotFound:
        yield critical(service.name, "is not in Keystone's catalog of this region", because_of=(KEYSTONE,))
        return
    if answer.ok:
        yield ok(service.name, "answers")
        return
    forbidden = answer.status_code == HTTPStatus.FORBIDDEN
    yield critical(
        service.name,
        f"responds with {answer.status_code} {answer.reason}",
        f"the user lacks a role: {_ROLES_GUIDE}" if forbidden else "ask the cloud's administrators",
        because_of=(KEYSTONE,),
    )


def quotas(connection: "Connection", config: StackConfig, stack: str) -> Iterator[Finding]:
    """Check that the project's quotas allow the stack at its maximum size, and the replacement of a node.

    Args:
        connection: Connection to the project.
        config: The stack configuration.
        stack: Name of the stack.
    """
    flavors = {each.name: Flavor(vcpus=each.vcpus, ram=each.ram) for each in connection.compute.flavors()}
    existing = partial(existing_data.query, config, stack, connection)
    found = allowances.read(config, stack, connection, _Inline(), existing)
    yield judge_quotas(found.compare(config, flavors), stack)


def judge_quotas(rows: Iterable[Row], stack: str) -> Finding:
    """Return the finding about quotas.

    Args:
        rows: Comparison of what the stack requires with the quotas.
        stack: Name of the stack.
    """
    limited = {row.name: row for row in rows if row.limit is not None and row.limit >= 0}
    short = [
        f"{resource(row.name).title}: {row.needed} needed, the quota is {row.limit}"
        for row in limited.values()
        if row.short
    ]
    left = {
        f"of {row.limit} {resource(name).title}": (row.limit or 0) - (row.used or 0)
        for name in _EXHAUSTIBLE
        if (row := limited.get(name)) and not row.short
    }
    used_up = [f"none left {quota}" for quota, amount in left.items() if amount <= 0]
    if short or used_up:
        remedy = f"`python -m operations size --cloud -s {stack}`; ask the cloud's administrators for more"
        return warning("quotas", "\n".join([*short, *used_up]), remedy)
    shown = ", ".join(f"{amount} {quota}" for quota, amount in left.items())
    return ok("quotas", f"left: {shown}" if shown else "not limited")


class _Inline(Executor):
    """Runs calls at once: the threads of other executors would delay the end of the program if a service hangs."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Call a function."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future
