"""A resource that does not become ready fails with the cause from the cluster or from Magnum."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from openstack.connection import Connection
from pulumi import Output, ResourceOptions
from pulumi_kubernetes import Provider
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.bootstrap_release import bootstrap_release
from components.magnum_cluster import MagnumCluster
from components.network import Network
from config.names import cloud_name
from config.stack_config import StackConfig
from phalanx.source import BootstrapChart
from probes import cluster_access, explanations
from program import openstack_arguments
from program.failure_hooks import error_hooks
from program.options import openstack_options
from recovery.pulumi_stack import PulumiStack
from recovery.recover import recover
from recovery.report import Outcome
from tests.sandbox import waiting_pods
from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.program import Program
from tests.sandbox.small_stack import failure, small_stack

ABSENT = "secret-that-does-not-exist"


@pytest.fixture
def kubeconfig(tenant: Connection) -> str:
    """Return an administrator's kubeconfig."""
    return cluster_access.kubeconfig(tenant, cloud_name("sandbox", "cluster"))


def assert_contains(output: str, *expected: str) -> None:
    missing = [each for each in expected if each not in output]
    assert not missing, f"{missing} not in:\n{output}"


def test_an_unhealthy_application_fails_with_the_reason_of_its_pod(program: Program, tmp_path: Path) -> None:
    edit = replace("applications/squareone/templates/deployment.yaml", "name: squareone-secret", f"name: {ABSENT}")
    try:
        with branch(tmp_path, "waits-for-a-secret", edit, "Require a Secret that does not exist") as revision:
            changes: dict[str, Any] = {"phalanx": {"revision": revision}, "applications": {"timeout": 30}}
            failed = Program("sandbox", vary(tmp_path / "Pulumi.sandbox.yaml", changes)).attempt("up")
    finally:
        program.run("up")
    assert failed.returncode != 0
    assert_contains(
        failed.stdout + failed.stderr,
        "timed out waiting for the condition",
        "error: The Application is Synced, Progressing",
        "Deployment squareone/squareone: rollout not complete, 1 new and 1 old pods",
        f'CreateContainerConfigError: secret "{ABSENT}" not found, container squareone',
    )


def test_an_unready_release_fails_with_the_reason_of_its_pods(
    program: Program, kubeconfig: str, tmp_path: Path
) -> None:
    del program  # deploys the platform
    chart = tmp_path / "chart"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: waits\nversion: 1.0.0\n")
    (chart / "templates" / "deployment.yaml").write_text(yaml.safe_dump(waiting_pods.deployment("secretRef", ABSENT)))

    def release() -> None:
        provider = Provider("kubernetes", kubeconfig=Output.secret(kubeconfig), enable_server_side_apply=True)
        options = ResourceOptions(
            provider=provider, transformations=error_hooks(explanations.KUBERNETES, lambda _: Output.secret(kubeconfig))
        )
        namespace = Namespace("waits", metadata=ObjectMetaArgs(name="waits"), opts=options)
        bootstrap_release(
            "waits",
            "waits",
            BootstrapChart(path=str(chart), values={}),
            timeout=15,
            opts=ResourceOptions.merge(options, ResourceOptions(depends_on=[namespace])),
        )

    with small_stack("waits", release, tmp_path) as stack:
        output = failure(stack)
    assert_contains(
        output,
        "error: Not ready in the namespace waits:",
        "Deployment waits/waits: 0 of 1 pods ready",
        f'CreateContainerConfigError: secret "{ABSENT}" not found, container main',
    )


def test_a_failed_cluster_fails_with_magnums_reason(
    program: Program, settings: StackConfig, tenant: Connection, tmp_path: Path
) -> None:
    del program  # creates the network
    workers = settings.cluster.workers.model_copy(update={"count": 1})
    # The label makes the sandbox's driver fail, as a real one does without capacity for nodes.
    updated = {"workers": workers, "node_groups": {}, "labels": {"sandbox_fail": "create"}}
    cluster_settings = settings.cluster.model_copy(update=updated)
    failing = settings.model_copy(update={"clusters": {"fails": cluster_settings}, "protect": False})
    network = tenant.network.find_network(cloud_name("sandbox", "network"), ignore_missing=False)
    external = tenant.network.find_network(settings.network.external_network, ignore_missing=False)
    (subnet,) = network.subnet_ids

    def cluster() -> None:
        options = openstack_options(settings.cloud, settings.cloud.region, Output.from_input(None))
        existing = SimpleNamespace(network_id=network.id, subnet_id=subnet, external_network_id=external.id)
        MagnumCluster("fails", openstack_arguments.cluster(failing, "fails", cast("Network", existing)), options)

    with small_stack("failing", cluster, tmp_path) as stack:
        output = failure(stack)
        found = recover(PulumiStack("failing", Path(stack.workspace.work_dir), stack.workspace.env_vars))
    assert_contains(
        output,
        f"error: Magnum's cluster {cloud_name('failing', 'fails')}: CREATE_FAILED",
        "the label sandbox_fail=create requests a failure",
        "`python -m operations recover -s failing`",
    )
    (item,) = found.items
    assert item.outcome is Outcome.FAILED
    assert_contains(item.message, "CREATE_FAILED", "`pulumi state unprotect -s failing 'urn:", "--replace 'urn:")
