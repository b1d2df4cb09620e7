"""Switch to a load balancer of the stack and back to the cloud controller's; the floating IP stays."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from openstack.connection import Connection

from config.ingress import NODE_PORTS
from config.names import cloud_name
from config.stack_config import StackConfig
from sandbox.site_certificate import issue
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program
from tests.unit.tls_server import tls_server

OURS = cloud_name("sandbox", "load-balancer")
OF_THE_CLOUD_CONTROLLER = "kube_service_"
"""Prefix of the names of the cloud controller's load balancers."""

ASSOCIATION = "openstack:networking/floatingIpAssociate:FloatingIpAssociate"
TYPES = {
    "openstack:loadbalancer/loadBalancer:LoadBalancer",
    "openstack:loadbalancer/listener:Listener",
    "openstack:loadbalancer/pool:Pool",
    "openstack:loadbalancer/members:Members",
    ASSOCIATION,
    "rsp:index:LoadBalancer",
}


@pytest.fixture(scope="module")
def octavia(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield the program with a load balancer of the stack; deploy the original configuration afterwards."""
    file = tmp_path_factory.mktemp("octavia") / "Pulumi.sandbox.yaml"
    yield Program("sandbox", vary(file, {"ingress": {"mode": "octavia"}}))
    program.run("up")


@contextmanager
def unreachable(address: str) -> Iterator[None]:
    """Let nothing answer at an address, not even a proxy of this machine's network."""
    subprocess.run(["ip", "route", "add", "unreachable", f"{address}/32"], check=True)
    try:
        yield
    finally:
        subprocess.run(["ip", "route", "delete", "unreachable", f"{address}/32"], check=True)


@contextmanager
def answering(address: str, directory: Path) -> Iterator[None]:
    """Give this machine an address, and serve a certificate at it."""
    subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)
    try:
        now = datetime.now(UTC)
        certificate, key = issue("rsp.sandbox.test", now, now + timedelta(days=1))
        with tls_server(certificate, key, directory, (address, 443)):
            yield
    finally:
        subprocess.run(["ip", "address", "delete", f"{address}/32", "dev", "lo"], check=True)


class Forwarding(NamedTuple):
    """A listener of a load balancer, with the members of its pool."""

    port: int
    members: frozenset[tuple[str, int]]


def balancers(tenant: Connection) -> dict[str, Any]:
    return {each.name: each for each in tenant.load_balancer.load_balancers()}


def forwardings(tenant: Connection, balancer: Any) -> set[Forwarding]:
    octavia: Any = tenant.load_balancer
    return {
        Forwarding(
            listener.protocol_port,
            frozenset((each.address, each.protocol_port) for each in octavia.members(listener.default_pool_id)),
        )
        for listener in octavia.listeners(load_balancer_id=balancer.id)
    }


def with_the_address(tenant: Connection, address: str) -> str | None:
    """Return the name of the load balancer that has a floating IP."""
    (floating,) = tenant.network.ips(floating_ip_address=address)
    return next((name for name, each in balancers(tenant).items() if each.vip_port_id == floating.port_id), None)


def workers(tenant: Connection, cluster: str = "cluster") -> set[str]:
    prefix = cloud_name("sandbox", cluster)
    return {
        port.fixed_ips[0]["ip_address"]
        for server in tenant.compute.servers()
        if server.name.startswith(prefix) and "-master-" not in server.name and "control-plane" not in server.name
        for port in tenant.network.ports(device_id=server.id)
    }


def planned(program: Program) -> dict[str, set[str]]:
    """Return the types of resources that a preview would create or delete."""
    found: dict[str, set[str]] = {"create": set(), "delete": set()}
    for step in json.loads(program.run("preview", "--json"))["steps"]:
        if step["op"] in found:
            found[step["op"]].add((step.get("newState") or step["oldState"])["type"])
    return found


def service(objects: Objects) -> dict[str, Any]:
    return objects.one("v1", "Service", "ingress-nginx-controller", "ingress-nginx")


def ingress_addresses(objects: Objects) -> set[str]:
    ingresses = objects.all("networking.k8s.io/v1", "Ingress")
    published = [each.get("status", {}).get("loadBalancer", {}).get("ingress", [{}]) for each in ingresses]
    return {entry.get("ip", "") for each in published for entry in each}


def test_the_stacks_load_balancer_replaces_the_cloud_controllers_and_back(
    program: Program, octavia: Program, tenant: Connection, objects: Objects, settings: StackConfig
) -> None:
    address = program.outputs()["ingressAddress"]
    assert planned(octavia) == {"create": TYPES, "delete": set()}
    octavia.run("up")
    assert program.outputs()["ingressAddress"] == address
    assert with_the_address(tenant, address) == OURS
    assert not [name for name in balancers(tenant) if name.startswith(OF_THE_CLOUD_CONTROLLER)]
    ours = balancers(tenant)[OURS]
    assert (ours.provisioning_status, ours.provider) == ("ACTIVE", settings.ingress.load_balancer_provider)
    nodes = workers(tenant)
    assert len(nodes) == settings.cluster.node_count
    assert forwardings(tenant, ours) == {
        Forwarding(80, frozenset((node, NODE_PORTS["http"]) for node in nodes)),
        Forwarding(443, frozenset((node, NODE_PORTS["https"]) for node in nodes)),
    }
    spec = service(objects)["spec"]
    assert (spec["type"], spec["externalTrafficPolicy"]) == ("NodePort", "Local")
    assert {each["name"]: each["nodePort"] for each in spec["ports"]} == NODE_PORTS
    assert ingress_addresses(objects) == {address}
    assert octavia.changes("preview") == {}
    assert octavia.changes("refresh") == {}

    # A preview does not list what is deleted because of a replacement.
    assert planned(program)["delete"] == TYPES - {ASSOCIATION}
    program.run("up")
    assert program.outputs()["ingressAddress"] == address
    assert OURS not in balancers(tenant)
    assert str(with_the_address(tenant, address)).startswith(OF_THE_CLOUD_CONTROLLER)
    assert service(objects)["spec"]["type"] == "LoadBalancer"
    assert program.changes("preview") == {}


def test_an_update_fails_unless_the_platform_answers_at_its_address(program: Program, tmp_path: Path) -> None:
    address = program.outputs()["ingressAddress"]
    asking = Program("sandbox", vary(tmp_path / "Pulumi.sandbox.yaml", {"ingress": {"answerTimeout": 1}}))
    with unreachable(address):
        failed = asking.attempt("up")
    assert failed.returncode != 0
    output = failed.stdout + failed.stderr
    assert f"{address} does not answer with TLS on port 443: " in output
    assert f"load balancer {OF_THE_CLOUD_CONTROLLER}" in output
    assert ": NO_MONITOR" in output
    with answering(address, tmp_path):
        asking.run("up")
