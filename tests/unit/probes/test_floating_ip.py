from ipaddress import IPv4Address
from types import SimpleNamespace
from typing import Any

import pytest

from probes import floating_ip

ADDRESS = IPv4Address("192.0.2.1")
CLUSTER = SimpleNamespace(name="rsp-test-cluster", uuid="11110000", stack_id="rsp-test-cluster-abcdefghijkl")


OTHER = SimpleNamespace(name="rsp-test-two-cluster", uuid="22220000", stack_id="rsp-test-two-cluster-abcdefghijkl")
"""Cluster of another stack, test-two."""


class Project:
    """A project with one floating IP, which nothing uses."""

    current_project_id = "mine"

    def __init__(self) -> None:
        self.ip = SimpleNamespace(
            floating_ip_address=str(ADDRESS),
            floating_network_id="id-of-external",
            port_id=None,
            description="of the site",
        )
        self.balancers: list[Any] = []
        self.network = SimpleNamespace(
            ips=lambda project_id: [self.ip] if project_id == "mine" else [],
            networks=lambda name: [SimpleNamespace(id=f"id-of-{name}")],
        )
        self.load_balancer = SimpleNamespace(load_balancers=lambda vip_port_id: self.balancers if vip_port_id else [])
        self.container_infrastructure_management = SimpleNamespace(clusters=lambda: [CLUSTER, OTHER])


@pytest.fixture
def project() -> Project:
    return Project()


def problems(project: Any, address: IPv4Address = ADDRESS, external: str = "external") -> list[str]:
    return [str(each) for each in floating_ip.problems(project, address, external, "test")]


def test_a_free_address_can_be_used(project: Project) -> None:
    assert problems(project) == []


def test_an_address_that_the_project_does_not_have(project: Project) -> None:
    (problem,) = problems(project, IPv4Address("192.0.2.9"))
    assert problem == "rsp:ingress.floatingIp: the project has no floating IP 192.0.2.9; it has: 192.0.2.1"


def test_an_address_of_another_external_network(project: Project) -> None:
    (problem,) = problems(project, external="other")
    assert "192.0.2.1 is not in the network `other`" in problem


@pytest.mark.parametrize(
    ("balancers", "user"),
    [
        ([], "the port port-1"),
        (["kube_service_another_ingress-nginx_web"], "the load balancer `kube_service_another_ingress-nginx_web`"),
        (["rsp-test2-load-balancer"], "the load balancer `rsp-test2-load-balancer`"),
        (["rsp-test-two-load-balancer"], "the load balancer `rsp-test-two-load-balancer`"),
        (["kube_service_22220000_ingress-nginx_web"], "the load balancer `kube_service_22220000_ingress-nginx_web`"),
        (["kube_service_11110000_ingress-nginx_web"], None),
        (["kube_service_rsp-test-cluster-abcdefghijkl_ingress-nginx_web"], None),
        (["rsp-test-load-balancer"], None),
    ],
)
def test_an_address_that_something_else_uses(project: Project, balancers: list[str], user: str | None) -> None:
    project.ip.port_id = "port-1"
    project.balancers = [SimpleNamespace(name=name) for name in balancers]
    expected = f"192.0.2.1 is in use by {user}: at the time of the move, release it with `openstack floating ip unset"
    found = problems(project)
    assert [expected in each for each in found] == ([True] if user else [])


def test_an_address_that_a_cluster_created_is_a_warning(project: Project) -> None:
    project.ip.description = "Floating IP for Kubernetes external service ingress-nginx/web from cluster 2222"
    (problem,) = problems(project)
    assert problem.startswith(
        "rsp:ingress.floatingIp (warning): the description of 192.0.2.1 is that of a cluster's own"
    )
