"""Bounds of the autoscaler that Magnum does not accept for an existing node group.

Magnum refuses bounds that exclude the current number of nodes (``_validate_node_count`` in
``magnum/api/controllers/v1/nodegroup.py``), and with autoscaling the program does not change that number.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from config.node_groups import NodeGroupSettings
from probes.existing_cluster import REPLACED
from probes.problem import Problem


def problems(
    key: str,
    wanted: Mapping[str, NodeGroupSettings],
    cluster: str,
    existing: Iterable[Mapping[str, Any]],
    names: Mapping[str, str],
) -> Iterator[Problem]:
    """Yield a fatal problem for each bound that a node group cannot get.

    Args:
        key: Key path of the node groups.
        wanted: The configured node groups by name.
        cluster: Name of the cluster in Magnum.
        existing: Its node groups in Magnum's API.
        names: Names of the cloud's flavors by ID, as Magnum may have either.
    """
    for found in existing:
        group, flavor = wanted.get(found["name"]), found["flavor_id"]
        if group is None or group.autoscaling is None or found["status"] in REPLACED:
            continue
        if names.get(flavor, flavor) != group.flavor:
            continue  # Replaced, with the configured number.
        count, bounds = found["node_count"], group.autoscaling
        nearest = min(max(count, bounds.minimum), bounds.maximum)
        if nearest != count:
            bound = "minimum" if nearest > count else "maximum"
            yield Problem(
                where=f"rsp:{key}.{found['name']}.autoscaling.{bound}",
                what=f"is {nearest}, but the group has {count} nodes, and Magnum refuses bounds that exclude the "
                f"current number: run `openstack coe cluster resize --nodegroup {found['name']} {cluster} {nearest}` "
                "first; if the current bounds exclude that number, first deploy bounds that include both",
            )
