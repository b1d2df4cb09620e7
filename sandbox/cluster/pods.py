"""A kubelet's preparations for a Pod's process: its environment and its service account's credentials."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sandbox.cluster.access import write_kubeconfig
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, Object
from sandbox.files import write_atomically

TOKEN_SECONDS: Final = 24 * 3600


class PodNotReadyError(Exception):
    """A prerequisite of a Pod is missing, which a kubelet would report as CreateContainerConfigError."""


def running(pods: list[Object], name_label: str) -> Object | None:
    """Return the newest running Pod with the label `app.kubernetes.io/name` of this value."""
    found = [
        pod
        for pod in pods
        if pod["metadata"].get("labels", {}).get("app.kubernetes.io/name") == name_label
        and pod["status"].get("phase") == "Running"
        and "deletionTimestamp" not in pod["metadata"]
    ]
    return max(found, key=lambda pod: str(pod["metadata"]["creationTimestamp"]), default=None)


def environment(kube: Kube, pod: Object) -> dict[str, str]:
    """Return the environment of a Pod's first container, with values from Secrets and ConfigMaps.

    Raises:
        PodNotReadyError: A required Secret, ConfigMap or key does not exist.
    """
    namespace = pod["metadata"]["namespace"]
    return {name: value for name, value in _variables(kube, namespace, pod) if value is not None}


def kubeconfig(kube: Kube, directory: ClusterDirectory, pod: Object) -> Path:
    """Write a kubeconfig with a token of the Pod's service account, which is renewed before it expires.

    Raises:
        PodNotReadyError: The service account does not exist.
    """
    namespace, account = pod["metadata"]["namespace"], pod["spec"]["serviceAccountName"]
    found = kube.get(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}")
    if found is None:
        raise PodNotReadyError(f"{namespace}: service account {account} does not exist")
    # A recreated service account does not accept tokens of its predecessor.
    token = directory.pki / f"{namespace}-{account}-{found['metadata']['uid']}.token"
    if not token.exists() or time.time() - token.stat().st_mtime > TOKEN_SECONDS / 2:
        request = {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": TOKEN_SECONDS},
        }
        answer = kube.create(f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token", request)
        write_atomically(token, answer["status"]["token"])
    path = directory.pki / f"{namespace}-{account}.kubeconfig"
    return write_kubeconfig(path, directory.api_url, directory.authority[0], token, namespace)


def _variables(kube: Kube, namespace: str, pod: Object) -> Iterator[tuple[str, str | None]]:
    for variable in pod["spec"]["containers"][0].get("env", []):
        source = variable.get("valueFrom", {})
        if "secretKeyRef" in source:
            value = _key(kube, namespace, "secrets", source["secretKeyRef"])
            yield variable["name"], None if value is None else base64.b64decode(value).decode()
        elif "configMapKeyRef" in source:
            yield variable["name"], _key(kube, namespace, "configmaps", source["configMapKeyRef"])
        elif "fieldRef" in source:
            yield variable["name"], _field(pod, source["fieldRef"]["fieldPath"])
        else:
            yield variable["name"], variable.get("value", "")


def _key(kube: Kube, namespace: str, collection: str, reference: dict[str, Any]) -> str | None:
    found = kube.get(f"/api/v1/namespaces/{namespace}/{collection}/{reference['name']}") or {}
    value: str | None = found.get("data", {}).get(reference["key"])
    if value is None and not reference.get("optional"):
        raise PodNotReadyError(f"{namespace}: {collection} {reference['name']} has no key {reference['key']}")
    return value


def _field(pod: Object, path: str) -> str | None:
    value: Any = pod
    for part in path.split("."):
        value = value.get(part, {})
    return value if isinstance(value, str) else None
