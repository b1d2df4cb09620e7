"""Small clusters in the stack's network, made and deleted through Magnum's API."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from openstack.connection import Connection

from config.names import cloud_name
from config.stack_config import StackConfig
from sandbox.process import wait_for

NAME = "rejected"
TIMEOUT = 300
"""Seconds until a cluster must be created or deleted."""


@contextmanager
def small_cluster(
    tenant: Connection, settings: StackConfig, labels: Mapping[str, str], **template: Any
) -> Iterator[dict[str, Any]]:
    """Create a cluster with one master and one worker, and delete it afterwards.

    Args:
        tenant: The tenant's client.
        settings: The stack configuration, for flavors and networks.
        labels: Labels of the template.
        template: Other attributes of the template, for example `image_id`.

    Yields:
        The cluster as Magnum shows it, once it is complete or has failed.
    """
    magnum: Any = tenant.container_infrastructure_management
    network = tenant.network.find_network(cloud_name("sandbox", "network"), ignore_missing=False)
    external = tenant.network.find_network(settings.network.external_network, ignore_missing=False)
    body = {
        "name": NAME,
        "coe": "kubernetes",
        "flavor_id": settings.cluster.workers.flavor,
        "master_flavor_id": settings.cluster.masters.flavor,
        "external_network_id": external.id,
        "fixed_network": network.id,
        "fixed_subnet": network.subnet_ids[0],
        "network_driver": "calico",
        "labels": dict(labels),
        **template,
    }
    made = _checked(magnum.post("/clustertemplates", json=body))
    try:
        cluster = {"name": NAME, "cluster_template_id": made["uuid"], "master_count": 1, "node_count": 1}
        uuid = _checked(magnum.post("/clusters", json=cluster))["uuid"]
        try:
            yield _settled(magnum, uuid)
        finally:
            magnum.delete(f"/clusters/{uuid}")
            wait_for(
                lambda: magnum.get(f"/clusters/{uuid}").status_code == 404, "Magnum has deleted it", timeout=TIMEOUT
            )
    finally:
        magnum.delete(f"/clustertemplates/{made['uuid']}")


def _settled(magnum: Any, uuid: str) -> dict[str, Any]:
    found: dict[str, Any] = {}

    def ended() -> bool:
        found.update(_checked(magnum.get(f"/clusters/{uuid}")))
        return str(found["status"]).endswith(("_COMPLETE", "_FAILED"))

    wait_for(ended, "Magnum has created the cluster or failed", timeout=TIMEOUT)
    return found


def _checked(response: Any) -> dict[str, Any]:
    assert response.ok, response.text
    return dict(response.json())
