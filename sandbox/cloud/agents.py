"""Waits until those who do the work behind the APIs have reported: schedulers pass over a host that is silent."""

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
"""What cinder-volume tells the scheduler of, which finds no valid backend before."""

_EXPECTED: Final = {
    "nova-conductor",
    "nova-scheduler",
    "nova-compute",
    "cinder-scheduler",
    "cinder-volume",
    "ovn-controller",
    STORAGE_POOL,
}
_TIMEOUT: Final = 120  # seconds
_ANSWER: Final = 5  # seconds


def wait(tell: Callable[[str], None]) -> None:
    """Wait until every agent is up, and make the compute host known to the cell.

    Args:
        tell: Called with those who are still missing.

    Raises:
        SandboxError: They did not come up in time; named by what is missing.
    """
    with clients.connect("admin") as connection:

        def complete() -> bool:
            missing = _EXPECTED - alive(connection)
            tell(f"waiting for {', '.join(sorted(missing))}" if missing else "")
            return not missing

        wait_for(complete, f"every one of {', '.join(sorted(_EXPECTED))} reports to its API", timeout=_TIMEOUT)
    once("compute-host", HOST, schema.discover_host)


def alive(connection: "Connection") -> set[str]:
    """Names of the agents that have reported lately, as the APIs of Nova, Cinder and Neutron see them."""
    compute: Any = connection.compute
    storage: Any = connection.block_storage
    network: Any = connection.network
    found = {each.binary for each in compute.services() if each.state == "up"}
    found |= {each.binary for each in storage.services() if each.state == "up"}
    if any(each.is_alive and "ovn-controller" in each.binary for each in network.agents()):
        found.add("ovn-controller")
    if _knows_a_pool(storage):
        found.add(STORAGE_POOL)
    return found


def _knows_a_pool(storage: Any) -> bool:
    """Whether cinder-scheduler answers, and with a pool; a question that the message queue has lost is asked again."""
    try:
        answer = storage.get("/scheduler-stats/get_pools", timeout=_ANSWER)
    except ClientException:
        return False
    return bool(answer.ok and answer.json()["pools"])
