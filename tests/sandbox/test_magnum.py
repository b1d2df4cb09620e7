"""Magnum's drivers are as strict as real ones, and the program refuses what they would ignore."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openstack.connection import Connection

from config.names import cloud_name
from config.stack_config import StackConfig
from probes.magnum_api import HEADERS
from sandbox.process import wait_for
from tests.sandbox.configuration import vary
from tests.sandbox.magnum_clusters import NAME, small_cluster
from tests.sandbox.program import Program

OURS = cloud_name("sandbox", "")
CLUSTER = cloud_name("sandbox", "cluster")
HEAT_IMAGE = "fedora-coreos-42"


def nodes(tenant: Connection, cluster: str) -> list[Any]:
    return [server for server in tenant.compute.servers() if server.name.startswith(cluster)]


def floating_ips(tenant: Connection, servers: list[Any]) -> list[str]:
    return [
        floating.floating_ip_address
        for server in servers
        for port in tenant.network.ports(device_id=server.id)
        for floating in tenant.network.ips(port_id=port.id)
    ]


def api_load_balancer(tenant: Connection, cluster: str) -> Any:
    (balancer,) = [
        each for each in tenant.load_balancer.load_balancers() if f"-{cluster}-" in each.name and "kubeapi" in each.name
    ]
    return balancer


def magnum_objects(tenant: Connection) -> list[Any]:
    magnum: Any = tenant.container_infrastructure_management
    clusters = magnum.get("/clusters").json()["clusters"]
    return [clusters, magnum.get("/clustertemplates").json()["clustertemplates"]]


def test_no_server_has_a_floating_ip(tenant: Connection) -> None:
    servers = nodes(tenant, OURS)
    assert len(servers) > len(nodes(tenant, CLUSTER)) > 0
    assert floating_ips(tenant, servers) == []


def test_the_api_has_a_floating_ip_only_if_configured(tenant: Connection, settings: StackConfig) -> None:
    (cluster,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == CLUSTER]
    assert cluster.labels["master_lb_floating_ip_enabled"] == str(settings.cluster.public_api).lower()
    balancer = api_load_balancer(tenant, CLUSTER)
    assert balancer.provisioning_status == "ACTIVE"
    assert bool(list(tenant.network.ips(port_id=balancer.vip_port_id))) is settings.cluster.public_api


def test_heat_fails_with_a_release_that_has_no_image(tenant: Connection, settings: StackConfig) -> None:
    labels = {"kube_tag": settings.cluster.kubernetes_version}
    with small_cluster(tenant, settings, labels, image_id=HEAT_IMAGE, floating_ip_enabled=True) as cluster:
        assert cluster["status"] == "CREATE_FAILED"
        assert f"rancher/hyperkube:{settings.cluster.kubernetes_version}: manifest unknown" in cluster["status_reason"]
        addresses = floating_ips(tenant, nodes(tenant, NAME))
        assert len(addresses) == 2
    assert not {each.floating_ip_address for each in tenant.network.ips()} & set(addresses)


def test_cluster_api_fails_with_allowed_networks_on_ovn(tenant: Connection, settings: StackConfig) -> None:
    labels = {"octavia_provider": "ovn", "api_master_lb_allowed_cidrs": "192.0.2.0/24"}
    with small_cluster(tenant, settings, labels, image_id=settings.cluster.image) as cluster:
        assert cluster["status"] == "CREATE_FAILED"
        assert "OVN provider does not support allowed_cidrs" in cluster["status_reason"]
        # The label's default is true.
        (floating,) = tenant.network.ips(port_id=api_load_balancer(tenant, NAME).vip_port_id)
    assert tenant.network.find_ip(floating.id) is None


@pytest.fixture
def image_without_release(tenant: Connection) -> Iterator[str]:
    image = tenant.image.create_image(
        "ubuntu-without-release",
        data=b"Nothing boots here.\n",
        disk_format="raw",
        container_format="bare",
        os_distro="ubuntu",
    )
    yield str(image.name)
    tenant.image.delete_image(image.id)


def test_cluster_api_needs_the_release_of_the_image(
    tenant: Connection, settings: StackConfig, image_without_release: str
) -> None:
    labels = {"kube_tag": settings.cluster.kubernetes_version}
    with small_cluster(tenant, settings, labels, image_id=image_without_release) as cluster:
        assert cluster["status"] == "CREATE_FAILED"
        assert cluster["status_reason"].endswith("does not have a kube_version property.")


def test_another_flavor_of_the_workers_is_refused(program: Program, tenant: Connection, tmp_path: Path) -> None:
    del program  # deploys the platform
    before = magnum_objects(tenant)
    changed = vary(tmp_path / "Pulumi.sandbox.yaml", {"clusters": {"cluster": {"workers": {"flavor": "m1.large"}}}})
    refused = Program("sandbox", changed).attempt("preview")
    assert refused.returncode != 0
    assert (
        f"rsp:clusters.cluster.workers.flavor: is `m1.large`, but the cluster `{CLUSTER}` was created with `m1.medium`"
        in refused.stdout + refused.stderr
    )
    assert magnum_objects(tenant) == before


def test_another_flavor_of_a_node_group_replaces_the_group(program: Program, tmp_path: Path) -> None:
    del program  # deploys the platform
    changes = {"clusters": {"cluster": {"nodeGroups": {"labs": {"flavor": "m1.medium"}}}}}
    changed = vary(tmp_path / "Pulumi.sandbox.yaml", changes)
    assert Program("sandbox", changed).changes("preview") == {"replace": 1}


def wait_for_members(tenant: Connection, ingress_address: str) -> None:
    """Wait until the cloud controller has given the ingress's load balancer the addresses of all nodes."""
    (floating,) = tenant.network.ips(floating_ip_address=ingress_address)
    (balancer,) = tenant.load_balancer.load_balancers(vip_port_id=floating.port_id)
    pools = [each.default_pool_id for each in tenant.load_balancer.listeners(load_balancer_id=balancer.id)]
    wanted = {
        port.fixed_ips[0]["ip_address"]
        for server in nodes(tenant, CLUSTER)
        for port in tenant.network.ports(device_id=server.id)
    }
    wait_for(
        lambda: all({member.address for member in tenant.load_balancer.members(pool)} == wanted for pool in pools),
        "the ingress's load balancer has the addresses of all nodes",
        timeout=300,
    )


def test_another_image_replaces_all_nodes(
    program: Program, tenant: Connection, settings: StackConfig, outputs: dict[str, Any], tmp_path: Path
) -> None:
    def images() -> dict[str, str]:
        return {server.name: server.image.id for server in nodes(tenant, CLUSTER)}

    before = images()
    rebuilt = tenant.image.find_image(f"{settings.cluster.image}-2", ignore_missing=False)
    changed = vary(tmp_path / "Pulumi.sandbox.yaml", {"clusters": {"cluster": {"image": rebuilt.name}}})
    try:
        Program("sandbox", changed).run("up")
        after = images()
        assert set(after.values()) == {rebuilt.id}
        assert len(after) == len(before)
        assert not before.keys() & after.keys()
    finally:
        program.run("up")
    assert set(images().values()) == set(before.values())
    wait_for_members(tenant, outputs["ingressAddress"])


def wait_for_workers(tenant: Connection, wanted: int) -> None:
    """Wait until the cluster is complete, and the default workers have a number of nodes."""
    magnum: Any = tenant.container_infrastructure_management
    found: list[Any] = []

    def complete() -> bool:
        cluster = magnum.get(f"/clusters/{CLUSTER}").json()
        workers = magnum.get(f"/clusters/{CLUSTER}/nodegroups/default-worker", headers=HEADERS).json()
        found[:] = [cluster["status"], workers["node_count"], len(workers["node_addresses"])]
        return found == ["UPDATE_COMPLETE", wanted, wanted]

    wait_for(complete, lambda: f"the cluster has {wanted} default workers, found {found}", timeout=300)


@pytest.fixture
def image_of_the_same_name(tenant: Connection, settings: StackConfig) -> Iterator[str]:
    """Yield the ID of another image with the name of the nodes' image, as after a rebuild of it."""
    present = tenant.image.find_image(settings.cluster.image, ignore_missing=False)
    image = tenant.image.create_image(
        present.name,
        data=b"Nothing boots here.\n",
        disk_format="raw",
        container_format="bare",
        allow_duplicates=True,
        os_distro=present.os_distro,
        kube_version=present.properties["kube_version"],
    )
    yield str(image.id)
    tenant.image.delete_image(image.id)


def test_the_number_of_default_workers_can_be_changed(
    program: Program, tenant: Connection, image_of_the_same_name: str, tmp_path: Path
) -> None:
    changes = {"clusters": {"cluster": {"workers": {"count": 2}}}}
    more = Program("sandbox", vary(tmp_path / "Pulumi.sandbox.yaml", changes))
    magnum: Any = tenant.container_infrastructure_management
    try:
        more.run("up")
        wait_for_workers(tenant, 2)
        assert image_of_the_same_name not in {server.image.id for server in nodes(tenant, CLUSTER)}
        # Somebody else changes it.
        assert magnum.post(f"/clusters/{CLUSTER}/actions/resize", json={"node_count": 1}, headers=HEADERS).ok
        wait_for_workers(tenant, 1)
        more.run("up", "--refresh")
        wait_for_workers(tenant, 2)
    finally:
        program.run("up")
    wait_for_workers(tenant, 1)
    assert program.changes("preview") == {}
