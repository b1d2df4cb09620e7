"""Whether Designate has the zones of a stack, and the program may write its records in them."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from probes.openstack_names import absent
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


def problems(wanted: Mapping[str, str], connection: "Connection") -> Iterator[Problem]:
    """Yield a fatal problem for each zone that cannot be used.

    Args:
        wanted: Names of the zones by key path without namespace.
        connection: Connection to the project.
    """
    zones = {each.name: each for each in connection.dns.zones()}
    for key, name in wanted.items():
        if (zone := zones.get(name)) is None:
            yield absent(f"rsp:{key}", name, zones)
        elif zone.project_id != connection.current_project_id:
            # Other projects can share a zone; their administrators, not ours, decide on its records.
            yield Problem(
                where=f"rsp:{key}",
                what=f"the zone `{name}` belongs to another project ({zone.project_id}): have it transferred "
                "(`openstack zone transfer request create`), or create and delegate a zone below it",
            )
        elif zone.type == "SECONDARY":
            yield Problem(
                where=f"rsp:{key}",
                what=f"the zone `{name}` is a secondary zone, of which Designate only has a copy: use the service "
                "that has the primary zone, or create and delegate a zone below it",
            )
        elif zone.status == "ERROR":
            what = f"the zone `{name}` has the status ERROR: ask the cloud's administrators to repair it"
            yield Problem(where=f"rsp:{key}", what=what)
