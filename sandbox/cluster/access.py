"""Kubeconfigs: who a process is to the Kubernetes API, and where that is."""

import base64
from pathlib import Path

import yaml

from sandbox.cluster.authority import KeyPair
from sandbox.files import write_atomically


def write_kubeconfig(
    path: Path, server: str, authority: Path, user: KeyPair | Path, namespace: str = "default"
) -> Path:
    """Write a kubeconfig with one cluster and one user.

    Args:
        path: The file, mode 0600.
        server: URL of the API.
        authority: Certificate, as PEM, that the API server's own must be signed by.
        user: A client certificate, or a file that holds a bearer token and is read anew when that changes.
        namespace: Namespace of requests that name none.
    """
    if isinstance(user, KeyPair):
        credentials = {"client-certificate-data": _data(user.certificate), "client-key-data": _data(user.key)}
    else:
        credentials = {"tokenFile": str(user)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": "cluster", "cluster": {"server": server, "certificate-authority-data": _data(authority)}}
        ],
        "users": [{"name": "user", "user": credentials}],
        "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "user", "namespace": namespace}}],
        "current-context": "context",
    }
    write_atomically(path, yaml.safe_dump(document))
    return path


def _data(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
