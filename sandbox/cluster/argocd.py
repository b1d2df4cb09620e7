"""Argo CD's programs as processes of this host, each for one of its Pods.

They read their settings from the cluster as usual, except for each other's addresses: Pods have no network.
"""

import secrets
from pathlib import Path

from sandbox import tools
from sandbox.cluster import pods
from sandbox.cluster.directory import ClusterDirectory
from sandbox.cluster.kube import Kube, Object
from sandbox.cluster.port_block import Offset
from sandbox.files import write_atomically
from sandbox.ports import LOOPBACK
from sandbox.process import Process

_SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def redis(kube: Kube, directory: ClusterDirectory, pod: Object) -> Process:  # noqa: ARG001 -- signature of all roles
    """Return Argo CD's cache. Its password protects the content from other users of the host."""
    configuration = directory.pki / "redis.conf"
    lines = (
        f"bind {LOOPBACK}",
        f"port {directory.port(Offset.REDIS)}",
        f"requirepass {_redis_password(directory)}",
        'save ""',
        "appendonly no",
    )
    write_atomically(configuration, "\n".join(lines) + "\n")
    return directory.process("argocd-redis", "/usr/bin/redis-server", configuration, config=(configuration,))


def repo_server(kube: Kube, directory: ClusterDirectory, pod: Object) -> Process:
    """Return the process that renders manifests from Git; it needs no access to the cluster."""
    return directory.process(
        "argocd-repo-server",
        _program("argocd-repo-server", "argocd", "helm"),
        f"--address={LOOPBACK}",
        f"--port={directory.port(Offset.ARGOCD_REPO_SERVER)}",
        f"--metrics-address={LOOPBACK}",
        f"--metrics-port={directory.port(Offset.ARGOCD_REPO_SERVER_METRICS)}",
        *_redis_flags(directory),
        "--disable-tls",
        "--client-ca-path=",
        "--revision-cache-expiration=5s",
        env={**_environment(kube, directory, pod), "ARGOCD_TLS_DATA_PATH": str(_certificates(kube, directory, pod))},
    )


def application_controller(kube: Kube, directory: ClusterDirectory, pod: Object) -> Process:
    """Return the process that compares Applications with the cluster and syncs them."""
    kubeconfig = pods.kubeconfig(kube, directory, pod)
    return directory.process(
        "argocd-application-controller",
        _program("argocd-application-controller", "argocd"),
        f"--kubeconfig={kubeconfig}",
        f"--namespace={pod['metadata']['namespace']}",
        f"--metrics-port={directory.port(Offset.ARGOCD_CONTROLLER_METRICS)}",
        *_redis_flags(directory),
        *_repo_server_flags(directory),
        "--app-resync=10",
        "--app-resync-jitter=0",
        env=_environment(kube, directory, pod, kubeconfig),
        config=(kubeconfig,),
    )


def server(kube: Kube, directory: ClusterDirectory, pod: Object) -> Process:
    """Return the process that serves Argo CD's API and web interface."""
    kubeconfig = pods.kubeconfig(kube, directory, pod)
    return directory.process(
        "argocd-server",
        _program("argocd-server", "argocd"),
        f"--kubeconfig={kubeconfig}",
        f"--namespace={pod['metadata']['namespace']}",
        f"--address={LOOPBACK}",
        f"--port={directory.port(Offset.ARGOCD_SERVER)}",
        f"--metrics-address={LOOPBACK}",
        f"--metrics-port={directory.port(Offset.ARGOCD_SERVER_METRICS)}",
        *_redis_flags(directory),
        *_repo_server_flags(directory),
        "--insecure",
        env=_environment(kube, directory, pod, kubeconfig),
        config=(kubeconfig,),
    )


def _certificates(kube: Kube, directory: ClusterDirectory, pod: Object) -> Path:
    """Write the certificates of Git servers, which Argo CD reads at each connection, as if the Pod mounted them."""
    name, namespace = "argocd-tls-certs-cm", pod["metadata"]["namespace"]
    found = kube.get(f"/api/v1/namespaces/{namespace}/configmaps/{name}") or {}
    files: dict[str, str] = found.get("data") or {}
    folder = directory.data / "argocd" / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for file, content in files.items():
        write_atomically(folder / file, content)
    for each in folder.iterdir():
        if each.name not in files:
            each.unlink()
    return folder


def _program(name: str, *needed: str) -> Path:
    """Return the path of one of Argo CD's programs, after installing the tools `needed`."""
    return tools.ensure(needed, report=lambda _: None) / name


def _environment(
    kube: Kube, directory: ClusterDirectory, pod: Object, kubeconfig: Path | None = None
) -> dict[str, str]:
    home = directory.data / "argocd" / pod["metadata"]["labels"]["app.kubernetes.io/name"]
    scratch = home / "tmp"
    scratch.mkdir(parents=True, exist_ok=True, mode=0o700)
    variables = {
        **pods.environment(kube, pod),
        "HOME": str(home),
        "TMPDIR": str(scratch),
        "PATH": f"{tools.bin_dir()}:{_SYSTEM_PATH}",
        "REDIS_PASSWORD": _redis_password(directory),
        "ARGOCD_GPG_ENABLED": "false",
    }
    if kubeconfig:
        # Makes Argo CD use this kubeconfig for its in-cluster destination.
        variables |= {"ARGOCD_FAKE_IN_CLUSTER": "true", "KUBECONFIG": str(kubeconfig)}
    return variables


def _redis_password(directory: ClusterDirectory) -> str:
    path = directory.pki / "redis.password"
    if not path.exists():
        write_atomically(path, secrets.token_hex(16))
    return path.read_text()


def _redis_flags(directory: ClusterDirectory) -> tuple[str, ...]:
    return (f"--redis={directory.address(Offset.REDIS)}",)


def _repo_server_flags(directory: ClusterDirectory) -> tuple[str, ...]:
    return f"--repo-server={directory.address(Offset.ARGOCD_REPO_SERVER)}", "--repo-server-plaintext"
