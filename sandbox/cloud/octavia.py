"""What Octavia needs after its processes have died in the middle of something."""

from typing import Final

from sandbox.cloud import database
from sandbox.cloud.service import Service

PROCESSES: Final = ("octavia-driver-agent", "octavia-api")
"""Both work on a change: the API's OVN provider makes it, the agent writes its end into the database."""

_TABLES: Final = ("load_balancer", "listener", "pool", "member", "health_monitor", "l7policy", "l7rule")


def fail_interrupted_changes(services: list[Service]) -> None:
    """Mark as failed what was being changed when a process of Octavia ended, unless they all run.

    Octavia lets nobody touch a load balancer whose change is pending, and nobody would ever end that change. One that
    has failed can be deleted, and made again.

    Args:
        services: Services of the cloud, among them those of `PROCESSES`.
    """
    ours = [service for service in services if service.name in PROCESSES]
    if not all(service.works() for service in ours):
        change = "SET provisioning_status = 'ERROR' WHERE provisioning_status LIKE 'PENDING\\_%'"
        database.query("\n".join(f"UPDATE octavia.{table} {change};" for table in _TABLES))
