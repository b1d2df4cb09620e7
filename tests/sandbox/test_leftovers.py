"""What a deleted cluster left behind is found and deleted, and nothing of the running platform."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from openstack.connection import Connection

from config.names import cloud_name
from config.stack_config import StackConfig
from sandbox.process import wait_for
from tests.sandbox.program import Program

GONE = f"{cloud_name('sandbox', 'cluster')}-deaddeaddead"
TIMEOUT = 120
"""Seconds until Octavia must have created a load balancer."""


@pytest.fixture
def left(program: Program, tenant: Connection, settings: StackConfig) -> Iterator[dict[str, str]]:
    """Create one resource of each kind, named as those of a cluster that does not exist; yield their IDs by kind."""
    del program  # deploys the platform
    network, octavia = tenant.network, _octavia(tenant)
    ours = network.find_network(cloud_name("sandbox", "network"), ignore_missing=False)
    external = network.find_network(settings.network.external_network, ignore_missing=False)
    namespaced = f"magnum-{tenant.current_project_id}-{GONE}"
    with ExitStack() as cleanup:
        balancer = octavia.create_load_balancer(
            name=f"kube_service_{GONE}_portal_web",
            description=f"Kubernetes external service portal/web from cluster {GONE}",
            vip_subnet_id=ours.subnet_ids[0],
            provider="ovn",
        )
        cleanup.callback(octavia.delete_load_balancer, balancer.id, cascade=True)
        address = network.create_ip(
            floating_network_id=external.id,
            description=f"Floating IP for Kubernetes external service portal/web from cluster {GONE}",
        )
        cleanup.callback(network.delete_ip, address.id)
        group = network.create_security_group(name=f"k8s-cluster-{namespaced}-secgroup-worker")
        cleanup.callback(network.delete_security_group, group.id)
        port = network.create_port(
            name=f"{GONE}-default-worker-0",
            network_id=ours.id,
            security_group_ids=[group.id],
            description=f"Created by cluster-api-provider-openstack cluster {namespaced}",
        )
        cleanup.callback(network.delete_port, port.id)
        metadata = {"cinder.csi.openstack.org/cluster": GONE}
        volume = tenant.block_storage.create_volume(name="pvc-of-a-deleted-cluster", size=1, metadata=metadata)
        cleanup.callback(tenant.block_storage.delete_volume, volume.id)
        octavia.wait_for_load_balancer(balancer.id, interval=1, wait=TIMEOUT)
        tenant.block_storage.wait_for_status(volume, interval=1, wait=TIMEOUT)
        yield {
            "load balancer": balancer.id,
            "floating IP": address.id,
            "port": port.id,
            "security group": group.id,
            "volume": volume.id,
        }


def test_leftovers_are_listed_and_deleted_and_nothing_else(
    program: Program, tenant: Connection, left: dict[str, str]
) -> None:
    def listed(*arguments: str) -> dict[str, str]:
        return {each["kind"]: each["id"] for each in json.loads(program.operate("leftovers", "--json", *arguments))}

    before = _ids(tenant)
    assert listed() == left
    assert listed("--delete", "--yes") == left
    assert listed() == {"volume": left["volume"]}
    assert listed("--delete", "--volumes", "--yes") == {"volume": left["volume"]}
    # Cinder deletes it in the background.
    wait_for(lambda: left["volume"] not in _ids(tenant), "the volume is deleted")
    assert listed() == {}
    assert before - _ids(tenant) >= set(left.values())
    # The load balancer's own port is deleted with it, and nothing of the platform.
    assert program.changes("refresh") == {}


def _ids(tenant: Connection) -> set[str]:
    return {
        str(each.id)
        for listed in (
            _octavia(tenant).load_balancers(),
            tenant.network.ips(),
            tenant.network.ports(),
            tenant.network.security_groups(),
            tenant.block_storage.volumes(),
        )
        for each in listed
    }


def _octavia(tenant: Connection) -> Any:
    return tenant.load_balancer
