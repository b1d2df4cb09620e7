from types import SimpleNamespace
from typing import Any

import pytest

from probes import existing_network
from tests.unit.probes.fake_project import FakeProject, named
from tests.unit.sample import environment

ADOPTED = {"network__adopt": {"network": "shared", "subnet": "shared-v4"}}


def refusals(network: str, subnet: str, **changes: Any) -> list[str]:
    """Return the problems of a configuration while the NFS server is in a network."""
    project = FakeProject()
    project.networks = named("shared", "other", "rsp-test-network")
    project.network.subnets = lambda **_: named("shared-v4", "other-v4", "rsp-test-network", cidr="10.20.0.0/24")
    project.ports["rsp-test-nfs"] = SimpleNamespace(
        network_id=f"id-of-{network}", fixed_ips=[{"subnet_id": f"id-of-{subnet}"}]
    )
    settings = environment(**changes).network
    return [str(each) for each in existing_network.problems(settings, "rsp", "test", "nfs", project.network)]


def test_without_a_server_of_its_own_the_stacks_network_is_compared() -> None:
    project = FakeProject()
    project.networks = named("rsp-test-network")
    project.network.subnets = lambda **_: named("rsp-test-network", cidr="10.20.0.0/24")

    def problems(cidr: str) -> list[str]:
        settings = environment(nfs=None, shares={"a": {"size": 1}}, network__cidr=cidr).network
        return [str(each) for each in existing_network.problems(settings, "rsp", "test", None, project.network)]

    assert problems("10.20.0.0/24") == []
    (problem,) = problems("10.20.0.0/23")
    assert problem.startswith("rsp:network.cidr: is 10.20.0.0/23, but the servers are in 10.20.0.0/24")


@pytest.mark.parametrize("changes", [{}, ADOPTED, {"network__cidr": "10.30.0.0/24", "nfs__address": "10.30.0.10"}])
def test_anything_is_possible_before_the_first_server(changes: dict[str, Any]) -> None:
    settings = environment(**changes).network
    assert list(existing_network.problems(settings, "rsp", "test", "nfs", FakeProject().network)) == []


def test_an_unchanged_network_is_accepted() -> None:
    assert refusals("rsp-test-network", "rsp-test-network") == []
    assert refusals("shared", "shared-v4", **ADOPTED) == []


@pytest.mark.parametrize(
    ("place", "changes", "message"),
    [
        (
            ("rsp-test-network", "rsp-test-network"),
            ADOPTED,
            "rsp:network.adopt: is set, but the servers are in the network `rsp-test-network`, which they cannot",
        ),
        (
            ("shared", "shared-v4"),
            {},
            "rsp:network.adopt: is not set, but the servers are in an adopted network, which they cannot leave: ",
        ),
        (
            ("rsp-test-network", "rsp-test-network"),
            {"network__cidr": "10.20.0.0/23"},
            "rsp:network.cidr: is 10.20.0.0/23, but the servers are in 10.20.0.0/24, which they cannot leave: ",
        ),
        (
            ("other", "other-v4"),
            ADOPTED,
            "rsp:network.adopt.network: is `shared`, but the servers are in network id-of-other, which they cannot ",
        ),
        (
            ("shared", "other-v4"),
            ADOPTED,
            "rsp:network.adopt.subnet: is `shared-v4`, but the servers are in `other-v4`, which they cannot leave: ",
        ),
    ],
)
def test_a_server_cannot_leave_its_network(place: tuple[str, str], changes: dict[str, Any], message: str) -> None:
    (refusal,) = refusals(*place, **changes)
    assert refusal.startswith(message)
    assert refusal.endswith("set it back, or deploy another stack")
