import pulumi
import pulumi_openstack as openstack

from components.network import Network
from program import openstack_arguments
from tests.unit.given_network import on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment

EXTERNAL = "openstack:networking/getNetwork:getNetwork"
SUBNET = "openstack:networking/getSubnet:getSubnet"


def make(run_program: ProgramRunner, **changes: object) -> Recording:
    def program() -> None:
        network = Network("rsp", openstack_arguments.network(environment(**changes).network), on_cloud())
        pulumi.export("subnet", network.subnet_id)
        pulumi.export("network", network.network_id)

    invokes = {
        EXTERNAL: lambda args: {"id": f"{args['name']}-id", "name": args["name"]},
        SUBNET: lambda args: {"id": f"{args['name']}-of-{args['networkId']}", "cidr": "10.20.0.0/24"},
    }
    return run_program.having(invokes=invokes)(program)


def test_a_routed_subnet_is_created(run_program: ProgramRunner) -> None:
    recording = make(run_program)
    subnet = recording.one("Subnet")
    assert subnet.inputs["cidr"] == "10.20.0.0/24"
    assert subnet.inputs["gatewayIp"] == "10.20.0.1"
    assert subnet.inputs["allocationPools"] == [{"start": "10.20.0.33", "end": "10.20.0.254"}]
    assert subnet.inputs["dnsNameservers"] == ["9.9.9.9", "149.112.112.112"]
    assert recording.one("Router").inputs["externalNetworkId"] == "external-id"
    assert (EXTERNAL, {"name": "external", "external": True}) in recording.invokes
    interface = recording.one("RouterInterface")
    assert interface.inputs == {"routerId": "rsp-router-id", "subnetId": "rsp-subnet-id"}


def test_routes_and_packet_size_reach_the_hosts(run_program: ProgramRunner) -> None:
    routes = {"10.30.0.0/16": "10.20.0.5", "192.0.2.0/24": "10.20.0.6"}
    recording = make(run_program, network__mtu=1400, network__hostRoutes=routes)
    assert recording.one("openstack:networking/network:Network").inputs["mtu"] == 1400
    made = [each.inputs for each in recording.resources if each.type.endswith(":SubnetRoute")]
    assert {each["destinationCidr"]: each["nextHop"] for each in made} == routes
    assert {each["subnetId"] for each in made} == {"rsp-subnet-id"}


def test_the_subnet_depends_on_its_router(run_program: ProgramRunner) -> None:
    def program() -> None:
        options = on_cloud()
        network = Network("rsp", openstack_arguments.network(environment().network), options)
        fixed_ip = openstack.networking.PortFixedIpArgs(subnet_id=network.subnet_id)
        openstack.networking.Port("inside", network_id=network.network_id, fixed_ips=[fixed_ip], opts=options)

    recording = run_program.having(invokes={EXTERNAL: {"id": "external-id"}})(program)
    assert recording.one("RouterInterface").urn in recording.one("Port").dependencies


def test_an_existing_subnet_is_adopted(run_program: ProgramRunner) -> None:
    recording = make(run_program, network__adopt={"network": "shared", "subnet": "shared-v4"})
    assert [each.type for each in recording.resources] == ["pulumi:providers:openstack", "rsp:index:Network"]
    assert recording.exports == {"network": "shared-id", "subnet": "shared-v4-of-shared-id"}
