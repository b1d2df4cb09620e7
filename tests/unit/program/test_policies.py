"""Rules for all resources of every stack."""

import json
import re

import pulumi
import pytest

from program import cluster_nodes
from tests.unit.program.conftest import StackRunner
from tests.unit.recording import Recording, Registered

DATA = {"Volume", "Share", "Container"}
"""Types of resources in OpenStack with data."""
DATA_OR_ADDRESS = {*DATA, "FloatingIp", "Cluster", "Mount"}
"""Types of resources with data or addresses."""

BUILT_IN = {"pulumi:index:Stash"}
"""Types that the engine manages itself, without a provider."""


def managed(graph: Recording) -> list[Registered]:
    """Return all resources that are neither components nor providers."""
    return [each for each in graph.resources if each.custom and not each.type.startswith("pulumi:providers:")]


def test_all_resources_have_an_explicit_provider(graph: Recording) -> None:
    without = [each.name for each in managed(graph) if not each.provider and each.type not in BUILT_IN]
    assert without == []


def test_all_resources_belong_to_a_component(graph: Recording) -> None:
    assert [each.name for each in managed(graph) if not graph.ancestors(each)] == []
    assert all(each.urn in graph.component_outputs for each in graph.resources if not each.custom)


def test_a_platform_has_these_components(graph: Recording) -> None:
    assert {each.type for each in graph.resources if not each.custom} == {
        f"rsp:index:{name}"
        for name in (
            *("ImmutableKeys", "Network", "NfsServer", "ObjectStore", "IngressAddress", "MagnumCluster"),
            *("SecretStore", "StorageClasses", "PersistentVolumes", "VaultSecretsOperator", "ArgoCd", "Applications"),
        )
    }


def test_no_port_is_open_to_the_internet(graph: Recording) -> None:
    """Ports 80 and 443 are open only on the load balancer."""
    rules = [each for each in graph.of("SecGroupRule") if each.inputs["direction"] == "ingress"]
    assert rules
    for rule in rules:
        assert rule.inputs.get("remoteIpPrefix") not in ("0.0.0.0/0", "::/0")
        assert rule.inputs.get("remoteIpPrefix") or rule.inputs.get("remoteGroupId")


def test_a_load_balancer_of_the_stack_follows_the_release_of_the_address(
    run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cloud controller must have released the address, and ingress-nginx must listen on the NodePorts."""
    monkeypatch.setattr(cluster_nodes, "addresses", lambda *_: pulumi.Output.from_input(["10.20.0.50"]))
    recording = run_stack("sandbox", changes={"ingress": {"mode": "octavia"}})
    association = recording.one("FloatingIpAssociate")
    controller = recording.one("Application", "cluster-applications-ingress-nginx")
    assert controller.urn in association.dependencies
    assert {each.name for each in recording.ancestors(association)} == {"load-balancer"}
    service = controller.inputs["spec"]["source"]["helm"]["valuesObject"]["ingress-nginx"]["controller"]["service"]
    assert (service["type"], service["nodePorts"]) == ("NodePort", {"http": 30080, "https": 30043})
    # Where the assignment is replaced, the engine asks whether what has its output in a property must be replaced, too.
    stash = recording.one("pulumi:index:Stash", "ingress-assignment").urn
    depending = [
        each.name
        for each in recording.resources
        if any(stash in urns.urns for urns in each.request.propertyDependencies.values())
    ]
    assert depending == [association.name]


def held(graph: Recording) -> list[Registered]:
    """Return all resources with data or addresses, and check that those with data are retained."""
    found = [each for kind in DATA_OR_ADDRESS for each in graph.of(kind)]
    assert {"Volume", "FloatingIp"} <= {each.type.rpartition(":")[2] for each in found}
    assert [each.name for kind in DATA for each in graph.of(kind) if not each.retained] == []
    return found


def test_data_and_addresses_are_protected(graph: Recording) -> None:
    assert [each.name for each in held(graph) if not each.protect] == []


def test_protection_can_be_disabled_but_not_retention(run_stack: StackRunner) -> None:
    found = held(run_stack("sandbox", changes={"protect": False, "shares": {"scratch": {"size": 1}}}))
    assert [each.name for each in found if each.protect] == []
    # The rules would also pass without a resource of a type.
    assert {each.type.rpartition(":")[2] for each in found} == DATA_OR_ADDRESS


def test_secrets_in_vault_are_retained(graph: Recording) -> None:
    assert [each.name for each in graph.of("SecretV2") if not each.retained] == []


def test_no_version_is_latest(graph: Recording) -> None:
    text = json.dumps([each.inputs for each in managed(graph)])
    assert not re.search(r'[":]latest\b', text)


def test_no_vault_token_enters_the_state(graph: Recording) -> None:
    assert "token" not in graph.one("pulumi:providers:vault").inputs
