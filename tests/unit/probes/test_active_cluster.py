from types import SimpleNamespace
from typing import Any

from probes import active_cluster, floating_ip
from tests.unit.sample import environment, environment_data

ADDRESS = "203.0.113.16"
CLUSTER = environment_data()["clusters"]["cluster"]


class Project:
    """A project whose floating IP the cloud controller of a cluster has."""

    def __init__(self, serving: str | None = "cluster") -> None:
        self.clusters = [
            SimpleNamespace(
                name=f"rsp-test-{name}", uuid=f"id-of-{name}", stack_id=f"rsp-test-{name}-0", status="CREATE_COMPLETE"
            )
            for name in ("cluster", "green")
        ]
        ip = SimpleNamespace(floating_ip_address=ADDRESS, port_id="port" if serving else None)
        name = f"kube_service_rsp-test-{serving}-0_ingress-nginx_ingress-nginx-controller"
        self.network = SimpleNamespace(ips=lambda **_: [ip])
        self.load_balancer = SimpleNamespace(load_balancers=lambda **_: [SimpleNamespace(name=name)])
        self.container_infrastructure_management = SimpleNamespace(clusters=lambda: self.clusters)


def problems(project: Any, *missing: str, **changes: Any) -> list[str]:
    config = environment(**changes)
    known = {each.name.removeprefix("rsp-test-"): each for each in project.clusters}
    existing = {name: None if name in missing else known[name] for name in config.clusters}
    return [str(each) for each in active_cluster.problems(project, config, "test", existing)]


def test_the_cluster_that_has_the_address() -> None:
    connection: Any = Project()
    assert floating_ip.cluster_at_address(connection, ADDRESS, "test") == "rsp-test-cluster"
    assert floating_ip.cluster_at_address(connection, ADDRESS, "other") is None
    unused: Any = Project(None)
    assert floating_ip.cluster_at_address(unused, ADDRESS, "test") is None


def test_a_switch_to_a_deployed_cluster_is_accepted() -> None:
    assert problems(Project(), clusters__green=CLUSTER, activeCluster="cluster") == []
    assert problems(Project(), clusters__green=CLUSTER, activeCluster="green") == []


def test_a_switch_to_a_cluster_that_does_not_exist_is_refused() -> None:
    (problem,) = problems(Project(), "green", clusters__green=CLUSTER, activeCluster="green")
    assert problem.startswith("rsp:activeCluster: green is not deployed yet: set it to cluster, deploy green beside it")
    project = Project()
    project.clusters[1].status = "CREATE_FAILED"
    assert problems(project, clusters__green=CLUSTER, activeCluster="green") == [problem]
    project.clusters[1].status = "UPDATE_FAILED"
    assert problems(project, clusters__green=CLUSTER, activeCluster="green") == []
    # On the first run, and after the loss of a cluster, no other one serves users.
    assert problems(Project(None), "green", clusters__green=CLUSTER, activeCluster="green") == []
    assert problems(Project(), "green", "cluster", clusters__green=CLUSTER, activeCluster="green") == []


def test_the_removal_of_the_cluster_with_the_address_is_refused() -> None:
    (problem,) = problems(Project(), clusters={"green": CLUSTER})
    assert problem.startswith(f"rsp:clusters: the cluster cluster has the platform's address {ADDRESS}, but is not in")
    assert problems(Project("green"), clusters={"green": CLUSTER}) == []
