from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.ingress_address import IngressAddress
from components.load_balancer import LoadBalancer
from program import cluster_nodes, openstack_arguments
from tests.unit.given_network import GivenNetwork, on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment

NODES = ["10.20.0.50", "10.20.0.51"]
AMPHORA = {"ingress__loadBalancerProvider": "amphora"}
COMPUTED = {"openstack:loadbalancer/loadBalancer:LoadBalancer": {"vipPortId": "vip-port", "vipAddress": "10.20.0.40"}}


class GivenCluster(pulumi.CustomResource):
    """Stands for the resources to wait for, and for the cluster."""

    def __init__(self) -> None:
        super().__init__("test:index:Cluster", "cluster", {}, None)


@pytest.fixture
def make(run_program: ProgramRunner, monkeypatch: pytest.MonkeyPatch) -> Any:
    def run(nodes: Any = NODES, **changes: object) -> Recording:
        settings = environment(**{"ingress__mode": "octavia", **changes})
        monkeypatch.setattr(cluster_nodes, "addresses", lambda _cluster, _count: pulumi.Output.from_input(nodes))

        def program() -> None:
            options = on_cloud()
            ingress = IngressAddress("ingress", openstack_arguments.ingress_address(settings), options)
            given = GivenCluster()
            active: Any = SimpleNamespace(cluster=given, ingress_nginx=given)
            args = openstack_arguments.load_balancer(settings, GivenNetwork(), ingress, active)
            LoadBalancer("load-balancer", args, options)

        return run_program.having(computed=COMPUTED)(program)

    return run


def test_ports_80_and_443_are_forwarded_to_the_node_ports_of_all_nodes(make: Any) -> None:
    recording = make()
    balancer = recording.one("LoadBalancer", "load-balancer-balancer")
    assert balancer.inputs["name"] == "rsp-test-load-balancer"
    assert balancer.inputs["vipSubnetId"] == "subnet-id"
    assert balancer.inputs["loadbalancerProvider"] == "ovn"
    for name, port, node_port in (("http", 80, 30080), ("https", 443, 30043)):
        listener = recording.one("Listener", f"load-balancer-{name}-listener").inputs
        assert (listener["protocol"], listener["protocolPort"]) == ("TCP", port)
        assert listener["loadbalancerId"] == "load-balancer-balancer-id"
        assert "allowedCidrs" not in listener
        pool = recording.one("Pool", f"load-balancer-{name}-pool").inputs
        assert (pool["protocol"], pool["lbMethod"]) == ("TCP", "SOURCE_IP_PORT")
        assert pool["listenerId"] == f"load-balancer-{name}-listener-id"
        members = recording.one("Members", f"load-balancer-{name}-members").inputs
        assert members == {
            "poolId": f"load-balancer-{name}-pool-id",
            "members": [{"address": node, "protocolPort": node_port, "subnetId": "subnet-id"} for node in NODES],
        }


def test_unknown_nodes_are_unknown_members(make: Any) -> None:
    members = make(pulumi.UNKNOWN).one("Members", "load-balancer-http-members")
    assert members.inputs["members"] == pulumi.runtime.rpc.UNKNOWN


def test_amphorae_pass_the_clients_address_and_restrict_clients(make: Any) -> None:
    recording = make(**AMPHORA, ingress__allowedCidrs=["192.0.2.0/28"])
    assert {each.inputs["protocol"] for each in recording.of("Pool")} == {"PROXY"}
    assert {each.inputs["lbMethod"] for each in recording.of("Pool")} == {"ROUND_ROBIN"}
    assert [each.inputs["allowedCidrs"] for each in recording.of("Listener")] == [["192.0.2.0/28"]] * 2


@pytest.mark.parametrize("provider", ["ovn", "amphora"])
def test_nodes_are_probed_by_tcp_if_configured(make: Any, provider: str) -> None:
    assert make(ingress__loadBalancerProvider=provider).of("Monitor") == []
    monitors = make(ingress__loadBalancerProvider=provider, ingress__healthMonitors=True).of("Monitor")
    assert {each.inputs["poolId"] for each in monitors} == {"load-balancer-http-pool-id", "load-balancer-https-pool-id"}
    assert {each.inputs["type"] for each in monitors} == {"TCP"}


def test_the_address_is_associated_last_and_dissociated_before_another_owner_gets_it(make: Any) -> None:
    recording = make()
    association = recording.one("FloatingIpAssociate")
    assert association.inputs == {"floatingIp": "203.0.113.16", "portId": "vip-port"}
    stash = recording.one("pulumi:index:Stash", "ingress-assignment")
    # The engine deletes what depends on a property of a resource before it replaces that one.
    assert list(association.request.propertyDependencies["floatingIp"].urns) == [stash.urn]
    assert stash.request.deleteBeforeReplace
    ready = recording.one("test:index:Cluster").urn
    assert ready in association.dependencies
    assert all(ready in each.dependencies for each in recording.of("Members"))
