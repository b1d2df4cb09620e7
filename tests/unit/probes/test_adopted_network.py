from types import SimpleNamespace
from typing import Any

from tests.unit.probes.fake_project import FakeProject
from tests.unit.probes.preflight import SHARES, check, only
from tests.unit.sample import environment

ADOPTED: dict[str, Any] = {"network__adopt": {"network": "shared", "subnet": "shared-v4"}}


def port(address: str) -> SimpleNamespace:
    fixed = {"subnet_id": "id-of-shared-v4", "ip_address": address}
    return SimpleNamespace(network_id="id-of-shared", fixed_ips=[fixed])


def test_a_network_of_the_project_can_be_adopted(project: FakeProject) -> None:
    assert project.networks[0].project_id == project.current_project_id
    assert check(environment(**ADOPTED)) == []


def test_neutron_lets_only_the_owner_of_a_network_choose_addresses(project: FakeProject) -> None:
    project.networks[0].project_id = "theirs"
    assert only(check(environment(**ADOPTED))) == (
        "rsp:network.adopt.network: `shared` belongs to another project (theirs), and Neutron lets only its owner "
        "choose the address of a port, as the stack does for its server `nfs`: choose a network of this project, or "
        "remove adopt"
    )
    assert check(environment(**ADOPTED, **SHARES)) == []


def test_who_may_choose_addresses_is_not_refused(project: FakeProject) -> None:
    project.networks[0].project_id = "theirs"
    project.roles.append("admin")
    assert check(environment(**ADOPTED)) == []
    project.roles.remove("admin")
    project.ports["rsp-test-nfs"] = port("10.20.0.10")
    assert check(environment(**ADOPTED)) == []


def test_an_address_that_neutron_would_not_change_is_refused(project: FakeProject) -> None:
    project.ports["rsp-test-nfs"] = port("10.20.0.9")
    assert check(environment(**ADOPTED)) == []
    project.networks[0].project_id = "theirs"
    assert only(check(environment(**ADOPTED))) == (
        "rsp:nfs.address: is 10.20.0.10, but the server has 10.20.0.9. `shared` belongs to another project (theirs), "
        "and Neutron lets only its owner choose another address: set it back"
    )


def test_a_network_without_port_security_cannot_have_security_groups(project: FakeProject) -> None:
    project.networks[0].is_port_security_enabled = False
    message = only(check(environment(**ADOPTED)))
    assert message.startswith("rsp:network.adopt.network: `shared` has port security disabled")
    project.networks[0].is_port_security_enabled = None  # a cloud without the extension
    assert check(environment(**ADOPTED)) == []
