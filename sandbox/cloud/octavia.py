"""Recovery of Octavia after one of its processes has died during a change."""

from typing import Final

from sandbox.cloud import database
from sandbox.cloud.service import Service

PROCESSES: Final = ("octavia-driver-agent", "octavia-api")
"""Processes that take part in a change: the API's OVN provider starts it, the agent records its completion."""

_TABLES: Final = ("load_balancer", "listener", "pool", "member", "health_monitor", "l7policy", "l7rule")


def fail_interrupted_changes(services: list[Service]) -> None:
    """Mark interrupted changes as failed, unless all of Octavia's processes run.

    Octavia rejects requests for a load balancer with a pending change, and nothing would ever complete an interrupted
    one. A load balancer in the state ERROR can be deleted and created again.

    Args:
        services: Services of the cloud, including those in `PROCESSES`.
    """
    ours = [service for service in services if service.name in PROCESSES]
    if not all(service.works() for service in ours):
        change = "SET provisioning_status = 'ERROR' WHERE provisioning_status LIKE 'PENDING\\_%'"
        database.query("\n".join(f"UPDATE octavia.{table} {change};" for table in _TABLES))
