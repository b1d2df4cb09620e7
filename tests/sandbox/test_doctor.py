"""What is broken in a platform is one line of `operations doctor`, which names the cause, not the consequences."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import hvac
import pytest
import yaml
from kubernetes import client
from openstack.connection import Connection

from config.names import cloud_name, ingress_description
from phalanx import processes
from sandbox import environment, paths
from sandbox import vault as sandbox_vault
from sandbox.process import wait_for
from tests.sandbox import waiting_pods
from tests.sandbox.branches import branch
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program
from tests.unit.web_server import web_server

NFS = cloud_name("sandbox", "nfs")
APPLICATION = "doctor"
LOST_SECONDS = 300
"""Duration of the lease of a lost node; after it, KWOK takes the node back even if a test was killed."""


class Diagnosis(NamedTuple):
    """Result of the command."""

    exit_code: int
    findings: list[dict[str, Any]]

    def critical(self) -> set[str]:
        """Return the subjects of the lines that are critical."""
        return {
            each["subject"] for each in self.findings if each["state"] == "critical" and each["explainedBy"] is None
        }

    def one(self, subject: str) -> dict[str, Any]:
        """Return the finding about a subject."""
        (found,) = [each for each in self.findings if each["subject"] == subject]
        return found

    def explained_by(self, subject: str) -> set[str]:
        """Return the subjects of the findings that another one explains."""
        return {each["subject"] for each in self.findings if each["explainedBy"] == subject}


Doctor = Callable[..., Diagnosis]


@pytest.fixture(scope="module")
def doctor(program: Program, vault: hvac.Client, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doctor]:
    """Yield a function that runs the command until exactly these subjects are critical, with a text in a message.

    A web server with the platform's certificate takes the place of ingress-nginx, as the sandbox has no traffic.
    """
    del program  # deploys the platform
    held = vault.secrets.kv.v2.read_secret_version(
        "phalanx/sandbox/ingress-nginx", mount_point="secret", raise_on_deleted_version=True
    )["data"]["data"]

    def run(expected: set[str], text: str = "") -> Diagnosis:
        found: list[Diagnosis] = []

        def matches() -> bool:
            found.append(_diagnose("--json", f"--connect={':'.join(map(str, address))}"))
            return found[-1].critical() == expected and any(text in each["message"] for each in found[-1].findings)

        def what() -> str:
            return f"{expected} with {text!r} are critical, not {found[-1].critical()}"

        wait_for(matches, what, timeout=180)
        assert found[-1].exit_code == bool(expected)
        return found[-1]

    folder = tmp_path_factory.mktemp("web")
    (folder / "authority.pem").write_text(held["tls.crt"])
    with (
        web_server(held["tls.crt"], held["tls.key"], folder) as address,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("SSL_CERT_FILE", str(folder / "authority.pem"))
        yield run


def test_a_healthy_stack_has_nothing_critical(doctor: Doctor) -> None:
    found = doctor(set())
    # Nova's fake driver boots nothing, so that its console does not say whether the NFS server serves.
    assert {each["subject"] for each in found.findings if each["state"] == "unknown"} == {"NFS exports"}
    assert {each["state"] for each in found.findings if each["check"] == "applications"} == {"ok"}
    for subject in ("Keystone", "Magnum", "cluster", "kubeconfig", "nodes", "Vault", "secrets", "HTTPS", "claims"):
        assert {each["state"] for each in found.findings if each["check"] == subject} == {"ok"}, subject
    assert found.one("load balancer of the platform")["message"].endswith("8 of 8 members up")


def test_without_the_passphrase_magnum_gives_access_to_the_cluster(
    doctor: Doctor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "wrong")
    found = doctor(set())
    assert found.one("kubeconfig")["state"] == "unknown"
    assert found.one("Kubernetes API")["state"] == "ok"


def test_a_sealed_vault_explains_that_secrets_cannot_be_read(doctor: Doctor, vault_root: hvac.Client) -> None:
    try:
        vault_root.sys.seal()
        found = doctor({"Vault"})
    finally:
        sandbox_vault.up()
    assert "vault operator unseal" in found.one("Vault")["remedy"]
    assert "secrets" in found.explained_by("Vault")


def test_a_stopped_nfs_server_is_reported_with_the_command_that_starts_it(doctor: Doctor, tenant: Connection) -> None:
    server = tenant.compute.find_server(NFS, ignore_missing=False)
    try:
        tenant.compute.stop_server(server)
        tenant.compute.wait_for_server(server, status="SHUTOFF", interval=1, wait=60)
        found = doctor({f"server {NFS}"})
    finally:
        tenant.compute.start_server(server)
        tenant.compute.wait_for_server(server, status="ACTIVE", interval=1, wait=60)
    assert f"openstack server start {NFS}" in found.one(f"server {NFS}")["remedy"]


def test_a_member_that_gets_no_traffic_is_a_warning(doctor: Doctor, tenant: Connection) -> None:
    octavia = tenant.load_balancer
    (address,) = tenant.network.ips(description=ingress_description("sandbox"))
    (balancer,) = octavia.load_balancers(vip_port_id=address.port_id)
    pool = next(iter(octavia.pools(loadbalancer_id=balancer.id)))
    member = next(iter(octavia.members(pool)))

    def switch(*, on: bool) -> None:
        octavia.update_member(member, pool, admin_state_up=on)
        octavia.wait_for_load_balancer(balancer.id, interval=1, wait=60)

    try:
        switch(on=False)
        found = doctor(set())
    finally:
        switch(on=True)
    subject = f"member {member.address}:{member.protocol_port} ({member.name}) of {pool.name}"
    assert found.one(subject)["state"] == "warning"
    assert found.one("load balancer of the platform")["message"].endswith("7 of 8 members up")


def test_an_application_whose_pod_cannot_start_has_the_reason(
    doctor: Doctor, kubernetes: client.ApiClient, tmp_path: Path
) -> None:
    def add(tree: Path) -> None:
        (tree / APPLICATION).mkdir()
        (tree / APPLICATION / "deployment.yaml").write_text(
            yaml.safe_dump(waiting_pods.deployment("configMapRef", "absent"))
        )
        subprocess.run(("git", "-C", tree, "add", APPLICATION), env=processes.environment(), check=True)

    with (
        branch(tmp_path, APPLICATION, add, "Add a Deployment that cannot start") as revision,
        _application(kubernetes, revision),
    ):
        # Before the first sync, the Deployment is missing.
        reason = 'CreateContainerConfigError: configmap "absent" not found'
        found = doctor({f"application {APPLICATION}"}, reason)
    assert reason in found.one(f"application {APPLICATION}")["message"]
    assert found.explained_by(f"application {APPLICATION}")


def test_a_lost_node_explains_its_pods(doctor: Doctor, objects: Objects, kubernetes: client.ApiClient) -> None:
    pods = objects.all("v1", "Pod")
    name = next(each["spec"]["nodeName"] for each in pods if each["metadata"]["namespace"] == "squareone")
    on_it = {
        f"pod {each['metadata']['namespace']}/{each['metadata']['name']}"
        for each in pods
        if each["spec"]["nodeName"] == name
    }
    with _lost_node(kubernetes, objects, name):
        found = doctor({f"node {name}"})
    explained = found.explained_by(f"node {name}")
    assert on_it <= explained
    assert {"application squareone", "application ingress-nginx"} <= explained
    assert "Kubelet stopped posting node status" in found.one(f"node {name}")["message"]


@contextmanager
def _lost_node(api: client.ApiClient, objects: Objects, name: str) -> Iterator[None]:
    """Take the lease of a node from KWOK, which then no longer plays its kubelet."""
    leases = client.CoordinationV1Api(api)

    def hold(identity: str | None) -> None:
        now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        spec = {"holderIdentity": identity, "renewTime": now, "leaseDurationSeconds": LOST_SECONDS}
        leases.patch_namespaced_lease(name, "kube-node-lease", {"spec": spec})

    def is_ready(found: dict[str, Any]) -> bool:
        conditions = found["status"]["conditions"]
        return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)

    try:
        hold("nobody")
        wait_for(lambda: not is_ready(objects.one("v1", "Node", name)), f"{name} is not Ready", timeout=180)
        yield
    finally:
        hold(None)
        wait_for(lambda: is_ready(objects.one("v1", "Node", name)), f"{name} is Ready", timeout=180)
        wait_for(
            lambda: all(is_ready(each) for each in objects.all("v1", "Pod") if each["status"]["phase"] == "Running"),
            "all pods are Ready",
            timeout=180,
        )


@contextmanager
def _application(api: client.ApiClient, revision: str) -> Iterator[None]:
    custom, core = client.CustomObjectsApi(api), client.CoreV1Api(api)
    kind: Any = {"group": "argoproj.io", "version": "v1alpha1", "namespace": "argocd", "plural": "applications"}
    body = {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Application",
        "metadata": {"name": APPLICATION, "finalizers": ["resources-finalizer.argocd.argoproj.io"]},
        "spec": {
            "project": "default",
            "source": {"repoURL": f"file://{paths.GIT}", "targetRevision": revision, "path": APPLICATION},
            "destination": {"server": "https://kubernetes.default.svc", "namespace": APPLICATION},
            "syncPolicy": {"automated": {}, "syncOptions": ["CreateNamespace=true"]},
        },
    }

    def exists() -> bool:
        listed: Any = custom.list_namespaced_custom_object(**kind)
        return any(each["metadata"]["name"] == APPLICATION for each in listed["items"])

    custom.create_namespaced_custom_object(**kind, body=body)
    try:
        yield
    finally:
        custom.delete_namespaced_custom_object(**kind, name=APPLICATION)
        wait_for(lambda: not exists(), "the Application is deleted", timeout=180)
        core.delete_namespace(APPLICATION)


def _diagnose(*arguments: str) -> Diagnosis:
    done = subprocess.run(
        [sys.executable, "-m", "operations", "doctor", "--stack=sandbox", *arguments],
        cwd=paths.CHECKOUT,
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.stdout, done.stderr
    secrets = (environment.variables()["VAULT_TOKEN"], "PRIVATE KEY", "client-key-data")
    assert not any(each in done.stdout + done.stderr for each in secrets)
    return Diagnosis(done.returncode, json.loads(done.stdout)["findings"])
