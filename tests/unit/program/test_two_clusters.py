"""A stack with two clusters: what each has of its own, and what a switch changes."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest

from program import cluster_nodes
from tests import stack_config
from tests.unit.program.conftest import ROOT, StackRunner
from tests.unit.recording import Recording, Registered

GREEN = json.loads(stack_config.load(ROOT, "sandbox")["rsp:clusters"])["cluster"]
"""Settings of the second cluster, which are those of the first."""

INTERNAL = "service.beta.kubernetes.io/openstack-internal-load-balancer"


def both(run_stack: StackRunner, active: str = "cluster", **changes: Any) -> Recording:
    return run_stack("sandbox", changes={"clusters": {"green": GREEN}, "activeCluster": active, **changes})


@pytest.fixture(scope="module")
def alone(run_stack: StackRunner) -> Recording:
    """Return all resources with one cluster."""
    return run_stack("sandbox")


@pytest.fixture(scope="module")
def beside(run_stack: StackRunner) -> Recording:
    """Return all resources with a second cluster, which is not active."""
    return both(run_stack)


@pytest.fixture(scope="module")
def switched(run_stack: StackRunner) -> Recording:
    """Return all resources with the second cluster active."""
    return both(run_stack, "green")


def by_urn(recording: Recording) -> dict[str, Registered]:
    return {each.urn: each for each in recording.resources}


def changed(before: Recording, after: Recording) -> set[str]:
    """Return the names of resources whose inputs differ, except for those that are generated in each run."""
    old, new = by_urn(before), by_urn(after)
    return {
        old[urn].name
        for urn in old.keys() & new.keys()
        if old[urn].inputs != new[urn].inputs and old[urn].type.startswith(("openstack:", "kubernetes:"))
    }


def service(recording: Recording, cluster: str = "cluster") -> Mapping[str, Any]:
    application = recording.one("Application", f"{cluster}-applications-ingress-nginx").inputs
    found: Mapping[str, Any] = application["spec"]["source"]["helm"]["valuesObject"]["ingress-nginx"]["controller"]
    return dict(found["service"])


def test_a_second_cluster_changes_nothing_of_the_first(alone: Recording, beside: Recording) -> None:
    old, new = by_urn(alone), by_urn(beside)
    assert old.keys() < new.keys()
    assert changed(alone, beside) == set()
    assert all(old[urn].protect == new[urn].protect for urn in old)


def test_each_cluster_has_the_same_contents(beside: Recording) -> None:
    contents: dict[str, set[str]] = {}
    for each in beside.resources:
        if each.type.startswith("kubernetes:"):
            cluster, _, name = each.name.partition("-")
            contents.setdefault(cluster, set()).add(name)
    assert contents.keys() == {"cluster", "green"}
    assert contents["cluster"] == contents["green"]


def test_everything_in_a_cluster_is_created_by_its_own_provider(beside: Recording) -> None:
    for each in beside.resources:
        if each.type.startswith("kubernetes:"):
            wanted = f"{each.name.partition('-')[0]}-kubernetes"
            assert each.provider.rpartition("::")[0].rpartition("::")[2] == wanted, each.name


def test_the_clusters_do_not_wait_for_each_other(beside: Recording) -> None:
    """So that they are deployed side by side, and one that fails does not stop changes of the other."""
    other = {each.urn for each in beside.resources if each.name.startswith("green-")}
    for each in beside.resources:
        if each.urn not in other:
            assert not each.dependencies & other, each.name


def test_only_the_active_cluster_is_protected(beside: Recording, switched: Recording) -> None:
    def protected(recording: Recording) -> set[str]:
        return {each.name for each in recording.of("Cluster") if each.protect}

    assert protected(beside) == {"cluster-cluster"}
    assert protected(switched) == {"green-cluster"}


def test_only_the_active_cluster_has_the_address(beside: Recording, switched: Recording) -> None:
    assert (service(beside)["loadBalancerIP"], service(beside, "green")["loadBalancerIP"]) == ("203.0.113.16", "")
    assert (service(switched)["loadBalancerIP"], service(switched, "green")["loadBalancerIP"]) == ("", "203.0.113.16")
    assert service(beside, "green")["annotations"] == {**service(beside)["annotations"], INTERNAL: "true"}
    assert INTERNAL not in service(beside)["annotations"]


def test_a_switch_changes_ingress_nginx_of_both_only(beside: Recording, switched: Recording) -> None:
    assert by_urn(beside).keys() == by_urn(switched).keys()
    assert changed(beside, switched) == {"cluster-applications-ingress-nginx", "green-applications-ingress-nginx"}
    outputs = {key for key, value in beside.exports.items() if value != switched.exports[key]}
    assert outputs == {"activeCluster", "clusterId"}


def test_the_active_cluster_waits_for_the_address(beside: Recording, switched: Recording, alone: Recording) -> None:
    def hooks(recording: Recording, name: str) -> list[str]:
        bound = recording.one("Application", name).request.hooks
        return [each for each in (*bound.before_update, *bound.after_update) if each.startswith("address-")]

    assert hooks(beside, "cluster-applications-ingress-nginx") == ["address-released"]
    assert hooks(beside, "green-applications-ingress-nginx") == []
    assert hooks(switched, "green-applications-ingress-nginx") == ["address-released"]
    assert hooks(switched, "cluster-applications-ingress-nginx") == []
    assert hooks(alone, "cluster-applications-ingress-nginx") == []


@pytest.mark.parametrize("active", ["cluster", "green"])
def test_only_the_active_cluster_is_monitored(run_stack: StackRunner, active: str) -> None:
    """Otherwise, the platform would lose its alerts until the new cluster has a Prometheus operator."""
    (component,) = both(run_stack, active, monitoring={"namespace": "monitoring"}).of("Monitoring")
    assert component.name == f"{active}-monitoring"


def test_the_stacks_load_balancer_forwards_to_the_active_cluster(
    run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[Any, int]] = []

    def addresses(cluster: Any, count: int) -> pulumi.Output[list[str]]:
        asked.append((cluster, count))
        return pulumi.Output.from_input(["10.20.0.50"])

    monkeypatch.setattr(cluster_nodes, "addresses", addresses)
    recording = both(run_stack, "green", ingress={"mode": "octavia"})
    controller = recording.one("Application", "green-applications-ingress-nginx")
    assert all(controller.urn in each.dependencies for each in recording.of("Members"))
    assert controller.urn in recording.one("FloatingIpAssociate").dependencies
    assert service(recording)["type"] == service(recording, "green")["type"] == "NodePort"
    assert len(asked) == 1


def test_outputs_name_both_clusters(beside: Recording) -> None:
    assert beside.exports["activeCluster"] == "cluster"
    assert beside.exports["clusters"].keys() == {"cluster", "green"}
    assert beside.exports["clusters"]["cluster"] == {
        "id": beside.exports["clusterId"],
        "api": beside.exports["clusterApi"],
        "installed": sorted(beside.exports["applications"]),
    }
