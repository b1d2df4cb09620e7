"""Kubernetes nodes match the servers in Magnum's database."""

from ipaddress import IPv4Address

from sandbox.cluster import nodes
from sandbox.cluster.description import Description, LoadBalancers, Network, Node
from tests.unit.sandbox.fake_kube import FakeKube


def node(name: str, role: str = "worker", address: str = "10.0.0.5") -> Node:
    return Node(
        name=name,
        server_id=f"id-of-{name}",
        address=IPv4Address(address),
        role=role,
        node_group=f"default-{role}",
        zone="nova",
        flavor="m1.large",
        vcpus=4,
        memory_mib=8192,
        disk_gib=80,
    )


def description(*every: Node, kubernetes_version: str = "v1.36.3") -> Description:
    return Description(
        uuid="6852a151",
        name="rsp",
        project_id="p",
        kubernetes_version=kubernetes_version,
        load_balancers=LoadBalancers(provider="ovn", algorithm="SOURCE_IP_PORT", health_monitors=False),
        network=Network(id="n", name="net", subnet_id="s", external_id="e"),
        trust=None,
        nodes=every,
    )


def test_node_describes_its_server() -> None:
    made = nodes.manifest(node("rsp-node-0"), "v1.36.3", "RegionOne")
    assert made["spec"] == {"providerID": "openstack:///id-of-rsp-node-0", "taints": []}
    assert made["status"]["addresses"][0] == {"type": "InternalIP", "address": "10.0.0.5"}
    assert made["status"]["capacity"] == {
        "cpu": "4",
        "memory": "8192Mi",
        "ephemeral-storage": "80Gi",
        "pods": "110",
    }
    assert made["metadata"]["labels"]["magnum.openstack.org/nodegroup"] == "default-worker"
    assert made["metadata"]["labels"]["topology.kubernetes.io/region"] == "RegionOne"


def test_masters_are_tainted() -> None:
    made = nodes.manifest(node("rsp-master-0", role="master"), "v1.36.3", None)
    assert made["spec"]["taints"] == [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    assert "node-role.kubernetes.io/control-plane" in made["metadata"]["labels"]


def test_sync_registers_missing_nodes_and_deletes_those_without_a_server() -> None:
    kube = FakeKube()
    nodes.sync(kube, description(node("a"), node("b")))
    nodes.sync(kube, description(node("b"), node("c")))
    assert {each["metadata"]["name"] for each in kube.list(nodes.COLLECTION)} == {"b", "c"}


def test_another_server_of_the_same_name_is_another_node() -> None:
    kube = FakeKube()
    nodes.sync(kube, description(node("a")))
    nodes.sync(kube, description(node("a").model_copy(update={"server_id": "other"})))
    assert kube.list(nodes.COLLECTION)[0]["spec"]["providerID"] == "openstack:///other"
    assert kube.writes == [f"{nodes.COLLECTION}/a"] * 3  # created, deleted, created


def test_sync_twice_changes_nothing() -> None:
    kube = FakeKube()
    nodes.sync(kube, description(node("a")))
    kube.writes.clear()
    nodes.sync(kube, description(node("a")))
    assert kube.writes == []


def test_upgrade_sets_the_kubelets_version() -> None:
    kube = FakeKube()
    nodes.sync(kube, description(node("a")))
    nodes.sync(kube, description(node("a"), kubernetes_version="v1.37.0"))
    assert kube.list(nodes.COLLECTION)[0]["status"]["nodeInfo"]["kubeletVersion"] == "v1.37.0"


def test_cluster_is_ready_when_all_nodes_are() -> None:
    kube = FakeKube()
    nodes.sync(kube, description(node("a"), node("b")))
    ready = {"status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    kube.merge(f"{nodes.COLLECTION}/a/status", ready)
    assert not nodes.all_ready(kube)
    kube.merge(f"{nodes.COLLECTION}/b/status", ready)
    assert nodes.all_ready(kube)
