import pulumi

from components.ingress_address import IngressAddress
from program.openstack_arguments import ingress_address
from tests.unit.given_network import on_cloud
from tests.unit.recording import ProgramRunner, Recording
from tests.unit.sample import environment
from wiring.ingress_service import controller_kind, service_annotations


def make(run_program: ProgramRunner, **changes: object) -> Recording:
    args = ingress_address(environment(**changes))
    return run_program(lambda: pulumi.export("address", IngressAddress("ingress", args, on_cloud()).address))


def test_the_address_is_not_associated(run_program: ProgramRunner) -> None:
    floating_ip = make(run_program).one("FloatingIp")
    assert floating_ip.inputs.keys() == {"pool", "description"}
    assert floating_ip.inputs["pool"] == "external"


def test_the_cloud_controller_does_not_delete_the_address(run_program: ProgramRunner) -> None:
    description = make(run_program).one("FloatingIp").inputs["description"]
    assert "Floating IP for Kubernetes external service" not in description


def test_an_existing_address_is_not_a_resource_of_the_stack(run_program: ProgramRunner) -> None:
    recording = make(run_program, ingress__floatingIp="192.0.2.1")
    assert recording.of("FloatingIp") == []
    assert recording.exports == {"address": "192.0.2.1"}


def test_without_health_monitors_the_controller_runs_on_every_node() -> None:
    assert controller_kind(health_monitors=False) == "DaemonSet"
    assert controller_kind(health_monitors=True) == "Deployment"


def test_health_monitors_are_enabled_by_annotation() -> None:
    annotation = "loadbalancer.openstack.org/enable-health-monitor"
    assert service_annotations("cloud-controller", health_monitors=True)[annotation] == "true"


def test_the_cloud_controller_forgets_its_load_balancer_when_it_is_no_longer_responsible() -> None:
    assert service_annotations("octavia", health_monitors=False) == {"loadbalancer.openstack.org/load-balancer-id": ""}


def test_a_change_of_the_mode_replaces_the_assignment_but_not_the_address(run_program: ProgramRunner) -> None:
    before, after = (
        make(run_program, ingress__mode=mode).one("pulumi:index:Stash", "ingress-assignment")
        for mode in ("cloud-controller", "octavia")
    )
    assert before.inputs == after.inputs == {"input": "203.0.113.16"}
    assert list(before.request.replacement_trigger.list_value) == ["cloud-controller", "203.0.113.16"]
    assert list(after.request.replacement_trigger.list_value) == ["octavia", "203.0.113.16"]
    addresses = [make(run_program, ingress__mode=mode).one("FloatingIp") for mode in ("cloud-controller", "octavia")]
    assert addresses[0].inputs == addresses[1].inputs
