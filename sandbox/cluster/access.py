"""Kubeconfigs."""

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
        path: File to write, with mode 0600.
        server: URL of the API server.
        authority: CA certificate of the API server, as PEM.
        user: Client certificate, or a file with a bearer token, which clients read again when it changes.
        namespace: Default namespace.
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
