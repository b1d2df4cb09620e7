"""Manifests like those of Phalanx's ``environments`` chart, without Helm."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from phalanx.charts import RenderedApplication
from phalanx.environment import Environment
from phalanx.resource_uses import Uses, find

_API_VERSION = "argoproj.io/v1alpha1"


def applications(
    root: Path, environment: Environment, *, repo_url: str, target_revision: str, revisions: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Replace ``phalanx.render.applications``."""
    assert (root / "environments" / f"values-{environment.name}.yaml").exists()
    manifests = [_object(_API_VERSION, "AppProject", "infrastructure", {"sourceRepos": ["*"]})]
    for name in environment.enabled_applications:
        # Phalanx expects that the installer creates the namespace of Argo CD.
        if name != "argocd":
            manifests.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        manifests.append(_application(name, environment, repo_url, revisions.get(name, target_revision)))
    return manifests


def undeclared_readers(environment: Environment) -> list[Uses]:
    """Replace ``phalanx.resource_uses.find_all``: return a Deployment with a password that no secrets.yaml declares.

    It has a claim, too.
    """
    reference = {"secretKeyRef": {"name": "postgres", "key": "jupyterhub_password"}}
    containers = [{"name": "postgres", "env": [{"name": "VRO_DB_JUPYTERHUB_PASSWORD", "valueFrom": reference}]}]
    path = f"{environment.vault_path_prefix}/postgres"
    application = RenderedApplication(
        name="postgres",
        namespace="postgres",
        manifests=[
            _object("ricoberger.de/v1alpha1", "VaultSecret", "postgres", {"path": path}),
            _object("apps/v1", "Deployment", "postgres", {"template": {"spec": {"containers": containers}}}),
            {
                "kind": "PersistentVolumeClaim",
                "metadata": {"name": "postgres-physpvc"},
                "spec": {"storageClassName": "ceph-hdd", "resources": {"requests": {"storage": "8Gi"}}},
            },
        ],
        external_values={},
    )
    return [find(application)]


def _application(name: str, environment: Environment, repo_url: str, target_revision: str) -> dict[str, Any]:
    parameters = [{"name": "global.vaultSecretsPath", "value": environment.vault_path_prefix}]
    if name == "vault-secrets-operator":
        parameters = [{"name": "vault-secrets-operator.vault.address", "value": environment.vault_url}]
    helm: dict[str, Any] = {
        "parameters": parameters,
        "valueFiles": ["values.yaml", f"values-{environment.name}.yaml"],
    }
    if name == "mobu":
        helm["valuesObject"] = {"config": {"availableServices": ["tap"]}}
    spec = {
        "project": "infrastructure",
        "destination": {"namespace": name, "server": "https://kubernetes.default.svc"},
        "source": {
            "repoURL": repo_url,
            "targetRevision": target_revision,
            "path": f"applications/{name}",
            "helm": helm,
        },
    }
    if name == "argocd":
        spec["syncPolicy"] = {"syncOptions": ["ServerSideApply=true"]}
    manifest = _object(_API_VERSION, "Application", name, spec)
    manifest["metadata"]["finalizers"] = ["resources-finalizer.argocd.argoproj.io"]
    return manifest


def _object(api_version: str, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name, "namespace": "argocd"}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec}
