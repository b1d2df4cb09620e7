"""Waits for OpenStack's agents: schedulers ignore a host whose agent has not reported."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from keystoneauth1.exceptions import ClientException

from sandbox.cloud import clients, schema
from sandbox.cloud.configuration import HOST
from sandbox.cloud.done import once
from sandbox.process import wait_for

if TYPE_CHECKING:
    from openstack.connection import Connection

STORAGE_POOL: Final = "storage pool"
"""The pool that cinder-volume reports to the scheduler, which finds no valid backend before."""

SHARE_POOL: Final = "share pool"
"""The pool that manila-share reports to its scheduler."""

_EXPECTED: Final = {
    "nova-conductor",
    "nova-scheduler",
    "nova-compute",
    "cinder-scheduler",
    "cinder-volume",
    "cinder-backup",
    "ovn-controller",
    STORAGE_POOL,
    "manila-scheduler",
    "manila-share",
    SHARE_POOL,
}
_TIMEOUT: Final = 120  # seconds
_REQUEST_TIMEOUT: Final = 5  # seconds


def wait(report: Callable[[str], None]) -> None:
    """Wait until all agents are up, and register the compute host with the cell.

    Args:
        report: Called with the names of the missing agents.

    Raises:
        SandboxError: An agent did not come up in time; the message has the names of all.
    """
    with clients.connect("admin") as connection:

        def complete() -> bool:
            missing = _EXPECTED - alive(connection)
            report(f"waiting for {', '.join(sorted(missing))}" if missing else "")
            return not missing

        wait_for(complete, f"{', '.join(sorted(_EXPECTED))} are up", timeout=_TIMEOUT)
    once("compute-host", HOST, schema.discover_host)


def alive(connection: "Connection") -> set[str]:
    """Return the names of the agents that the APIs of Nova, Cinder, Manila and Neutron consider up."""
    compute: Any = connection.compute
    storage: Any = connection.block_storage
    sharing: Any = connection.shared_file_system
    network: Any = connection.network
    found = {each.binary for each in compute.services() if each.state == "up"}
    found |= {each.binary for each in storage.services() if each.state == "up"}
    if any(each.is_alive and "ovn-controller" in each.binary for each in network.agents()):
        found.add("ovn-controller")
    if _lists(storage, "/scheduler-stats/get_pools", "pools"):
        found.add(STORAGE_POOL)
    # Without a microversion Manila has the oldest one, in which this was the path.
    found |= {each["binary"] for each in _lists(sharing, "/os-services", "services") if each["state"] == "up"}
    if _lists(sharing, "/scheduler-stats/pools", "pools"):
        found.add(SHARE_POOL)
    return found


def _lists(service: Any, path: str, key: str) -> list[Any]:
    """Return a list from a service, empty if it does not answer: a request may be lost in the message queue."""
    try:
        answer = service.get(path, timeout=_REQUEST_TIMEOUT)
    except ClientException:
        return []
    return list(answer.json()[key]) if answer.ok else []
