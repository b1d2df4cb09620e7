"""Build a second cluster beside the first one, switch to it and back, and remove it; the floating IP stays."""

import json
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openstack.connection import Connection

from config.names import cloud_name
from config.stack_config import StackConfig
from sandbox.process import wait_for
from tests.sandbox.certificates import MagnumCluster
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program
from tests.sandbox.test_load_balancer import OURS, balancers, forwardings, with_the_address, workers

GREEN = {
    "image": "ubuntu-2404-kube-v1.36.3",
    "masters": {"flavor": "m1.medium", "count": 1},
    "workers": {"flavor": "m1.large", "count": 1},
    "publicApi": False,
}


CLAIM = ("postgres", "postgres-physpvc")
"""Namespace and name of the claim that gets an existing volume in the second cluster."""

PATIENCE = 180
"""Seconds in which all Applications must be healthy."""


class Programs(NamedTuple):
    """The program with the first cluster alone, and with both by the active one, also in the mode octavia."""

    alone: Program
    cluster: Program
    green: Program
    balanced_cluster: Program
    balanced_green: Program
    volume: str
    """ID of the existing volume that a claim gets in the second cluster."""


@pytest.fixture(scope="module")
def volume(tenant: Connection) -> Iterator[str]:
    """Yield the ID of a volume, such as that of a restored database; delete it afterwards."""
    cinder = tenant.block_storage
    id_ = cinder.create_volume(name="restored", size=1).id
    yield id_
    cinder.delete_volume(id_)


@pytest.fixture(scope="module")
def both(
    program: Program, tenant: Connection, volume: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Programs]:
    """Yield the programs; remove the second cluster afterwards."""
    folder = tmp_path_factory.mktemp("both")
    new = {**GREEN, "claims": {"/".join(CLAIM): volume}}
    made = {}
    for active in ("cluster", "green"):
        changes: dict[str, Any] = {"clusters": {"green": new}, "activeCluster": active}
        made[active] = Program("sandbox", vary(folder / f"{active}.yaml", changes))
        changes["ingress"] = {"mode": "octavia"}
        made[f"balanced_{active}"] = Program("sandbox", vary(folder / f"balanced-{active}.yaml", changes))
    yield Programs(alone=program, volume=volume, **made)
    if len(list(tenant.container_infrastructure_management.clusters())) > 1:
        made["cluster"].run("up")
        program.run("up")


def members(tenant: Connection) -> set[str]:
    """Return the addresses to which the stack's load balancer forwards, the same for each port."""
    (found,) = {
        frozenset(address for address, _ in each.members) for each in forwardings(tenant, balancers(tenant)[OURS])
    }
    return set(found)


def magnum_id(tenant: Connection, name: str) -> str:
    wanted = cloud_name("sandbox", name)
    (found,) = [each for each in tenant.container_infrastructure_management.clusters() if each.name == wanted]
    return str(found.uuid)


def planned(program: Program) -> set[tuple[str, str]]:
    """Return operation and logical name of each resource that a preview would change."""
    steps = json.loads(program.run("preview", "--json"))["steps"]
    return {(step["op"], step["urn"].rpartition("::")[2]) for step in steps if step["op"] not in {"same", "read"}}


def applications(objects: Objects) -> dict[str, tuple[str, str]]:
    """Return sync and health status of each Application."""
    return {
        name: (each["status"]["sync"]["status"], each["status"]["health"]["status"])
        for name, each in objects.applications().items()
    }


def unhealthy(objects: Objects) -> dict[str, tuple[str, str]]:
    """Return the Applications that stay unsynced or unhealthy; Argo CD compares all anew when its own one changes."""
    deadline = time.monotonic() + PATIENCE
    while left := {name: each for name, each in applications(objects).items() if each != ("Synced", "Healthy")}:
        if time.monotonic() > deadline:
            break
        time.sleep(2)
    return left


def service_address(objects: Objects) -> str:
    """Return the address of ingress-nginx in the status of its Service; empty if it has none."""
    service: Any = objects.one("v1", "Service", "ingress-nginx-controller", "ingress-nginx")
    return str(next((each["ip"] for each in service["status"]["loadBalancer"].get("ingress") or ()), ""))


def await_addresses(serving: Objects, address: str, other: Objects, settings: StackConfig) -> None:
    """Wait until one cluster has the platform's address, and the other one an address in the stack's network.

    The cloud controllers write them to the Services after Octavia and Neutron have changed.
    """

    def right() -> bool:
        private = service_address(other)
        return service_address(serving) == address and private != "" and ip_address(private) in settings.network.cidr

    def found() -> str:
        return f"{address} serves, but the Services have {service_address(serving)} and {service_address(other)}"

    wait_for(right, found, timeout=60)


def bound_to(objects: Objects, claim: tuple[str, str]) -> str:
    """Return the Cinder volume of a claim."""
    namespace, name = claim
    found: Any = objects.one("v1", "PersistentVolumeClaim", name, namespace)
    assert found["status"]["phase"] == "Bound"
    volume: Any = objects.one("v1", "PersistentVolume", found["spec"]["volumeName"], "")
    return str(volume["spec"]["csi"]["volumeHandle"])


def switch_members(both: Programs, tenant: Connection, address: str) -> None:
    """Switch to green and back behind a load balancer of the stack, which only gets other members."""
    both.balanced_cluster.run("up")
    assert with_the_address(tenant, address) == OURS
    assert members(tenant) == workers(tenant)
    assert planned(both.balanced_green) == {("update", f"load-balancer-{port}-members") for port in ("http", "https")}
    both.balanced_green.run("up")
    assert with_the_address(tenant, address) == OURS
    assert members(tenant) == workers(tenant, "green")
    assert both.balanced_green.changes("preview") == {}
    # No service tells that green serves users.
    refused = both.alone.attempt("preview")
    assert "the cluster green serves users" in refused.stdout + refused.stderr
    both.balanced_cluster.run("up")
    assert members(tenant) == workers(tenant)


def test_a_cluster_replaces_the_other_and_the_address_moves(
    both: Programs, tenant: Connection, objects: Objects, settings: StackConfig, tmp_path: Path
) -> None:
    program = both.alone
    address, first = program.outputs()["ingressAddress"], magnum_id(tenant, "cluster")

    def serving() -> str:
        """Return the ID of the cluster whose load balancer has the address, by its name."""
        return str(with_the_address(tenant, address)).removeprefix("kube_service_").partition("_")[0]

    added = planned(both.cluster)
    assert all(kind == "create" and name.startswith("green") for kind, name in added), added
    both.cluster.run("up")
    both.cluster.run("up")  # ends the first installation of applications with databases
    green = magnum_id(tenant, "green")
    magnum = MagnumCluster(tenant, green)
    with magnum.client(magnum.signed_certificate(), tmp_path) as client:
        in_green = Objects(client)
        assert applications(in_green).keys() == applications(objects).keys()
        assert unhealthy(in_green) == unhealthy(objects) == {}
        assert bound_to(in_green, CLAIM) == both.volume
        claimed = {each["spec"]["csi"]["volumeHandle"] for each in in_green.all("v1", "PersistentVolume")}
        assert serving() == first
        await_addresses(objects, address, in_green, settings)

        # Only one line of the configuration has changed.
        switch = {
            ("update", name) for name in ("cluster-applications-ingress-nginx", "green-applications-ingress-nginx")
        }
        assert planned(both.green) == switch
        both.green.run("up")
        assert serving() == green
        await_addresses(in_green, address, objects, settings)
        assert both.green.outputs()["activeCluster"] == "green"
        assert both.green.outputs()["ingressAddress"] == address
        assert unhealthy(in_green) == unhealthy(objects) == {}
        assert both.green.changes("preview") == {}

        refused = program.attempt("preview")
        assert "the cluster green has the platform's address" in refused.stdout + refused.stderr

        assert planned(both.cluster) == switch
        both.cluster.run("up")
        assert serving() == first
        await_addresses(objects, address, in_green, settings)

        switch_members(both, tenant, address)
        both.cluster.run("up")
        assert serving() == first

    removed = planned(program)
    assert all(kind == "delete" and name.startswith("green") for kind, name in removed), removed
    program.run("up")
    assert [each.uuid for each in tenant.container_infrastructure_management.clusters()] == [first]
    assert serving() == first
    assert not [each.name for each in tenant.load_balancer.load_balancers() if green in each.name]
    left = json.loads(program.operate("leftovers", "--delete", "--volumes", "--yes", "--json"))
    assert {each["kind"] for each in left} == {"volume"}
    assert {each["id"] for each in left} == claimed - {both.volume}
    assert program.changes("preview") == {}
