"""Load balancers of a cluster's Services, which are deleted with the cluster.

Magnum's Heat driver deletes them itself; with Cluster API, cluster-api-janitor-openstack does.
"""

import re
import time
from typing import Any

from magnum.common import clients, neutron

WAIT_SECONDS = 60
POLL_SECONDS = 1
GOING = ("DELETED", "PENDING_DELETE")


class LoadBalancerError(Exception):
    """A load balancer is not deleted in time."""


def made_by(cluster_uuid: str, description: str) -> bool:
    """Return whether the cluster's cloud controller created a load balancer, from the latter's description.

    Source: `magnum/common/octavia.py`.
    """
    return re.match(rf"Kubernetes .+ from cluster {re.escape(cluster_uuid)}", description or "") is not None


def delete(context: Any, cluster: Any) -> None:
    """Delete the load balancers and floating IPs that the cluster's cloud controller created.

    Raises:
        LoadBalancerError: They still exist after `WAIT_SECONDS`.
    """
    octavia = clients.OpenStackClients(context).octavia()
    ours = [one for one in _list(octavia) if made_by(cluster.uuid, one["description"])]
    for balancer in ours:
        # Floating IPs created by users have another description and are kept.
        neutron.delete_floatingip(context, balancer["vip_port_id"], cluster)
    remove(octavia, ours)


def remove(octavia: Any, balancers: list[dict[str, Any]]) -> None:
    """Delete load balancers with their listeners and pools, and wait until they are gone.

    Raises:
        LoadBalancerError: They still exist after `WAIT_SECONDS`.
    """
    for balancer in balancers:
        if balancer["provisioning_status"] not in GOING:
            octavia.load_balancer_delete(balancer["id"], cascade=True)
    deadline = time.monotonic() + WAIT_SECONDS
    waiting = {balancer["id"] for balancer in balancers}
    while waiting := waiting & {one["id"] for one in _list(octavia) if one["provisioning_status"] != "DELETED"}:
        if time.monotonic() > deadline:
            raise LoadBalancerError(f"load balancers {', '.join(sorted(waiting))} were not deleted in {WAIT_SECONDS} s")
        time.sleep(POLL_SECONDS)


def _list(octavia: Any) -> list[dict[str, Any]]:
    return octavia.load_balancer_list().get("loadbalancers", [])
