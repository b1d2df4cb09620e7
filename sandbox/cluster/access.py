"""Kubeconfigs."""

from pathlib import Path

import yaml

from sandbox.cluster.authority import KeyPair
from sandbox.files import write_atomically


def write_kubeconfig(
    path: Path, server: str, authority: Path, user: KeyPair | Path, namespace: str = "default"
) -> Path:
    """Write a kubeconfig with one cluster and one user, which refers to the files of certificates and keys.

    Python's client would write embedded ones to the shared temporary directory, and leave them there if it is killed.

    Args:
        path: File to write, with mode 0600.
        server: URL of the API server.
        authority: CA certificate of the API server, as PEM.
        user: Client certificate, or a file with a bearer token; clients read either again when it changes.
        namespace: Default namespace.
    """
    if isinstance(user, KeyPair):
        credentials = {"client-certificate": str(user.certificate), "client-key": str(user.key)}
    else:
        credentials = {"tokenFile": str(user)}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "cluster", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [{"name": "user", "user": credentials}],
        "contexts": [{"name": "context", "context": {"cluster": "cluster", "user": "user", "namespace": namespace}}],
        "current-context": "context",
    }
    write_atomically(path, yaml.safe_dump(document))
    return path
