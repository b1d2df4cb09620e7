"""A Pod's process gets the Pod's environment and credentials, and nothing else."""

import base64
import shutil
import time
from pathlib import Path

import pytest

from sandbox.cluster import argocd, pod_roles, pods, port_block
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, Object
from sandbox.process import Process
from tests.unit.sandbox.fake_kube import FakeKube
from tests.unit.sandbox.test_cluster_nodes import description


def pod(name: str, *variables: Object, created: str = "2026-01-01T00:00:00Z", phase: str = "Running") -> Object:
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{name}-abc",
            "namespace": "vault-secrets-operator",
            "labels": {"app.kubernetes.io/name": name},
            "creationTimestamp": created,
        },
        "spec": {"serviceAccountName": name, "containers": [{"env": list(variables)}]},
        "status": {"phase": phase},
    }


def secret_reference(key: str, *, optional: bool = False) -> Object:
    reference = {"name": "vault-credentials", "key": key, "optional": optional}
    return {"name": key, "valueFrom": {"secretKeyRef": reference}}


def test_environment_is_resolved() -> None:
    kube = FakeKube()
    role_id = base64.b64encode(b"role").decode()
    kube.add(
        "/api/v1/namespaces/vault-secrets-operator/secrets/vault-credentials",
        {"kind": "Secret", "data": {"VAULT_ROLE_ID": role_id}},
    )
    kube.add(
        "/api/v1/namespaces/vault-secrets-operator/configmaps/settings", {"kind": "ConfigMap", "data": {"time": "60"}}
    )
    variables = (
        {"name": "VAULT_ADDRESS", "value": "http://127.0.0.1:8200"},
        {"name": "EMPTY"},
        secret_reference("VAULT_ROLE_ID"),
        secret_reference("VAULT_TOKEN", optional=True),
        {"name": "TIME", "valueFrom": {"configMapKeyRef": {"name": "settings", "key": "time"}}},
        {"name": "NAMESPACE", "valueFrom": {"fieldRef": {"fieldPath": "metadata.namespace"}}},
    )
    assert pods.environment(kube, pod("operator", *variables)) == {
        "VAULT_ADDRESS": "http://127.0.0.1:8200",
        "EMPTY": "",
        "VAULT_ROLE_ID": "role",
        "TIME": "60",
        "NAMESPACE": "vault-secrets-operator",
    }


def test_missing_secret_keeps_the_process_from_starting() -> None:
    with pytest.raises(pods.PodNotReadyError, match="vault-credentials has no key VAULT_ROLE_ID"):
        pods.environment(FakeKube(), pod("operator", secret_reference("VAULT_ROLE_ID")))


def test_newest_running_pod_is_taken() -> None:
    old = pod("argocd-server", created="2026-01-01T00:00:00Z")
    new = pod("argocd-server", created="2026-01-02T00:00:00Z")
    pending = pod("argocd-server", created="2026-01-03T00:00:00Z", phase="Pending")
    leaving = pod("argocd-server", created="2026-01-04T00:00:00Z")
    leaving["metadata"]["deletionTimestamp"] = "2026-01-05T00:00:00Z"
    assert pods.running([pending, new, leaving, old], "argocd-server") is new
    assert pods.running([pending, leaving], "argocd-server") is None


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ClusterDirectory:
    monkeypatch.setattr(port_block, "listeners", lambda _: [])
    path = tmp_path / "cluster"
    (path / "pki").mkdir(parents=True)
    (path / "cluster.json").write_text(description().model_dump_json())
    (path / "ca.crt").write_text("certificate")
    return ClusterDirectory(path)


def test_redis_password_is_in_a_private_file(directory: ClusterDirectory) -> None:
    process = argocd.redis(FakeKube(), directory, pod("argocd-redis"))
    (configuration,) = process.config
    password = next(
        line.split()[1] for line in configuration.read_text().splitlines() if line.startswith("requirepass ")
    )
    assert not any(password in argument for argument in process.argv)
    assert configuration.stat().st_mode & 0o777 == 0o600
    assert argocd.redis(FakeKube(), directory, pod("argocd-redis")).digest() == process.digest()


def test_token_is_requested_once_for_the_pods_account(directory: ClusterDirectory) -> None:
    class Tokens(FakeKube):
        def create(self, collection: str, manifest: Object) -> Object:  # noqa: ARG002 -- signature of the base class
            self.writes.append(collection)
            return {"status": {"token": "t"}}

    account = "/api/v1/namespaces/vault-secrets-operator/serviceaccounts/vault-secrets-operator"
    kube, operator = Tokens(), pod("vault-secrets-operator")
    kube.add(account, {"kind": "ServiceAccount", "metadata": {"uid": "first"}})
    first = pods.kubeconfig(kube, directory, operator).read_text()
    assert pods.kubeconfig(kube, directory, operator).read_text() == first
    assert kube.writes == [f"{account}/token"]
    kube.add(account, {"kind": "ServiceAccount", "metadata": {"uid": "made anew"}})
    assert pods.kubeconfig(kube, directory, operator).read_text() != first
    assert kube.writes == [f"{account}/token"] * 2


def test_process_lives_as_long_as_its_pod(directory: ClusterDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    def sleeper(_kube: Kube, where: ClusterDirectory, _pod: Object) -> Process:
        return where.process("argocd-redis", str(shutil.which("sleep")), "60")

    monkeypatch.setattr(pod_roles, "ROLES", {"argocd-redis": sleeper})
    kube = FakeKube()
    roles = pod_roles.PodRoles(kube, directory)
    kube.add("/pod", pod("argocd-redis"))
    roles.reconcile(kube.list("/api/v1/pods"))
    process = directory.process("argocd-redis")
    started = process.alive()
    assert started
    roles.reconcile(kube.list("/api/v1/pods"))
    assert process.alive() == started
    del kube.objects["/pod"]
    roles.reconcile(kube.list("/api/v1/pods"))
    deadline = time.monotonic() + 5
    while process.alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not process.alive()
