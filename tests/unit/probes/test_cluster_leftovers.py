from collections.abc import Collection
from types import SimpleNamespace
from typing import Any

import pytest

from probes.cluster_leftovers import Kind, Search, deleted_clusters
from tests.unit.probes.fake_leftovers import (
    DEAD,
    DEAD_ID,
    LIVING,
    LIVING_ID,
    NAME,
    FakeProject,
    address,
    balancer,
    capi,
    group,
    port,
    volume,
)


@pytest.fixture
def project() -> FakeProject:
    return FakeProject()


def found(
    project: FakeProject,
    *,
    given: Collection[str] = (),
    network: str | None = "rsp-test-network",
    owned: Collection[str] = (),
    volumes_in_use: Collection[str] = (),
) -> list[tuple[Kind, str, str, str]]:
    connection: Any = project
    clusters = deleted_clusters(connection, "rsp-test-", given)
    search = Search(connection, clusters, network, owned, lambda: volumes_in_use)
    return [(each.kind, each.name, each.cluster, each.about) for each in search.run()]


def service(cluster: str, name: str = "ingress-nginx-controller") -> str:
    return f"kube_service_{cluster}_ingress-nginx_{name}"


def fip_of(cluster: str) -> str:
    return f"Floating IP for Kubernetes external service ingress-nginx/web from cluster {cluster}"


@pytest.mark.parametrize(
    ("name", "cluster", "about"),
    [
        (service(DEAD), DEAD, "Service ingress-nginx/ingress-nginx-controller"),
        (service(DEAD_ID), DEAD_ID, "Service ingress-nginx/ingress-nginx-controller"),
        (f"k8s-clusterapi-cluster-magnum-0f3a-{DEAD}-kubeapi", DEAD, "Kubernetes API"),
        (f"{DEAD}-api_lb-abcdefghijkl-loadbalancer-abcdefghijkl", DEAD, "Kubernetes api"),
        (f"{DEAD}-etcd_lb-abcdefghijkl-loadbalancer-abcdefghijkl", DEAD, "Kubernetes etcd"),
    ],
)
def test_load_balancers_of_deleted_clusters(project: FakeProject, name: str, cluster: str, about: str) -> None:
    project.balancers = [balancer(name)]
    assert found(project) == [(Kind.LOAD_BALANCER, name, cluster, about)]
    assert found(project, owned={f"lb-{name}"}) == []


@pytest.mark.parametrize(
    "other",
    [
        balancer(service(LIVING)),
        balancer(service(LIVING_ID)),
        balancer(service("kubernetes")),
        balancer(service("someone-elses")),
        balancer(service("rsp-other-cluster-deaddeaddead")),
        balancer(service("rsp-test-cluster-2-deaddeaddead")),
        # An ID in another network may be that of a cluster that Magnum does not manage.
        balancer(service(DEAD_ID), network="another"),
        balancer(f"k8s-clusterapi-cluster-magnum-0f3a-{LIVING}-kubeapi"),
        balancer(f"k8s-clusterapi-cluster-magnum-ffff-{DEAD}-kubeapi"),
        # A load balancer that a Service of a living cluster shares.
        balancer(service(DEAD), service(DEAD), service(LIVING)),
        # One that was given to a Service by its ID.
        balancer("mine", service(DEAD)),
        balancer(""),
    ],
    ids=lambda each: each.name,
)
def test_load_balancers_of_others_are_not_listed(project: FakeProject, other: Any) -> None:
    project.balancers = [other]
    assert found(project) == []


def test_the_load_balancer_of_a_cluster_that_is_being_deleted_is_not_listed(project: FakeProject) -> None:
    project.balancers = [balancer(service(DEAD_ID)), balancer(service(DEAD))]
    project.clusters.append(SimpleNamespace(uuid=DEAD_ID, stack_id=DEAD, name=NAME))
    assert found(project) == []


def test_an_id_in_a_shared_network_counts_only_if_it_is_given(project: FakeProject) -> None:
    project.balancers = [balancer(service(DEAD_ID))]
    assert found(project, network=None) == []
    assert found(project, network="gone") == []
    assert len(found(project, network=None, given={DEAD_ID})) == 1


def test_floating_ips_of_deleted_clusters(project: FakeProject) -> None:
    gone = balancer(service(DEAD_ID))
    project.balancers = [gone]
    project.addresses = [
        address("192.0.2.1", fip_of(DEAD)),
        address("192.0.2.2", fip_of(DEAD_ID), gone.vip_port_id),
        address("192.0.2.3", capi(DEAD)),
        address("192.0.2.4", fip_of(DEAD), "port of something else"),
        address("192.0.2.5", fip_of(DEAD_ID)),
        address("192.0.2.6", fip_of(LIVING)),
        address("192.0.2.7", "Ingress of the Rubin Science Platform (test), managed by Pulumi", gone.vip_port_id),
        address("192.0.2.8", ""),
    ]
    assert found(project)[1:] == [
        (Kind.FLOATING_IP, "192.0.2.1", DEAD, "Service ingress-nginx/web"),
        (Kind.FLOATING_IP, "192.0.2.2", DEAD_ID, "Service ingress-nginx/web"),
        (Kind.FLOATING_IP, "192.0.2.3", DEAD, "Kubernetes API"),
    ]
    assert ("192.0.2.5", DEAD_ID) in [each[1:3] for each in found(project, given={DEAD_ID})]


def test_ports_and_security_groups_of_deleted_clusters(project: FakeProject) -> None:
    used, lost = f"k8s-cluster-magnum-0f3a-{DEAD}-secgroup-worker", f"k8s-cluster-magnum-0f3a-{DEAD}-secgroup-bastion"
    heat = f"{DEAD}-secgroup_kube_minion-abcdefghijkl"
    of_service = group("lb-sg-1", f"Security Group for portal/web Service LoadBalancer in cluster {DEAD}")
    project.groups = [
        group(used),
        group(lost),
        group(heat),
        of_service,
        group(f"k8s-cluster-magnum-0f3a-{LIVING}-secgroup-worker"),
        group("rsp-test-nfs", "NFS from the cluster's subnet"),
        group("default"),
    ]
    project.ports = [
        port("gone-0", capi(DEAD), groups=(f"sg-{lost}",)),
        port("running-0", capi(DEAD), device="server", groups=(f"sg-{used}",)),
        port("living-0", capi(LIVING)),
        port("rsp-test-nfs"),
    ]
    assert found(project) == [
        (Kind.PORT, "gone-0", DEAD, "node"),
        (Kind.SECURITY_GROUP, lost, DEAD, "nodes"),
        (Kind.SECURITY_GROUP, heat, DEAD, "nodes"),
        (Kind.SECURITY_GROUP, "lb-sg-1", DEAD, "Service portal/web"),
    ]
    # The name of a stack in Heat does not tell the cluster's ID.
    project.clusters.append(SimpleNamespace(uuid="2", stack_id="3", name=NAME))
    assert heat not in [each[1] for each in found(project)]


def test_volumes_of_claims_of_deleted_clusters(project: FakeProject) -> None:
    claim = {"csi.storage.k8s.io/pvc/namespace": "postgres", "csi.storage.k8s.io/pvc/name": "data"}
    project.volumes = [
        volume("1", DEAD, **claim),
        volume("2", DEAD, status="in-use"),
        volume("3", LIVING),
        # Magnum's Heat driver, and many others.
        volume("4", "kubernetes"),
        SimpleNamespace(id="5", name="rsp-test-nfs-data", size=1, status="available", metadata={}),
    ]
    assert found(project) == [(Kind.VOLUME, "pvc-1", DEAD, "10 GiB, claim postgres/data")]
    assert found(project, volumes_in_use={"vol-1"}) == []
    assert found(project, owned={"vol-1"}) == []


def test_a_stacks_long_or_unusual_name_is_shortened_as_by_magnum(project: FakeProject) -> None:
    connection: Any = project
    clusters = deleted_clusters(connection, "rsp-Data_Access.Centre-production-")
    assert clusters.include("rsp-data-access-centre-product-deaddeaddead")
    assert not clusters.include("rsp-data-access-centre-production-cluster-deaddeaddead")
