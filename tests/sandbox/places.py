"""Places where a secret could be stored in plaintext: the cluster, OpenStack, logs, repositories and files."""

import base64
import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

from kubernetes import client, dynamic
from kubernetes.client.exceptions import ApiException

from phalanx import charts, environment, render
from sandbox import paths
from sandbox.cloud import clients, logs
from tests.sandbox.marks import Evidence

HELM_RELEASE = "helm.sh/release.v1"
_SERVER_STORES = (paths.DATA, paths.GIT, paths.VAULT / "raft")
"""Files of databases and repositories, whose content is read through APIs and `git`."""


class ServiceLogs:
    """Logs that the sandbox's services have written since this object was created."""

    def __init__(self) -> None:
        self._began = {path: path.stat().st_size for path in logs.files().values() if path.exists()}

    def written(self) -> Iterator[Evidence]:
        """Yield the new part of each log."""
        for name, path in logs.files().items():
            with path.open("rb") as file:
                file.seek(self._began.get(path, 0))
                yield Evidence(f"the log of {name}", file.read())


def cluster(api: client.ApiClient) -> Iterator[Evidence]:
    """Yield all objects except for Secrets, and of these, Helm's records of releases."""
    discovered = dynamic.DynamicClient(api)  # type: ignore[no-untyped-call]
    for resource in discovered.resources.search():
        listed = "list" in (getattr(resource, "verbs", None) or ()) and not resource.kind.endswith("List")
        if not listed or resource.kind == "Secret":
            continue
        try:
            found = resource.get().to_dict()["items"]
        except ApiException:
            continue  # a kind that cannot be listed over all namespaces has no objects
        for each in found:
            name = "/".join(filter(None, (each["metadata"].get("namespace"), each["metadata"]["name"])))
            yield Evidence(f"{resource.kind} {name}", json.dumps(each).encode())
    secrets = discovered.resources.get(api_version="v1", kind="Secret").get().to_dict()["items"]
    for each in secrets:
        if each["type"] == HELM_RELEASE:
            release = gzip.decompress(base64.b64decode(base64.b64decode(each["data"]["release"])))
            yield Evidence(f"the Helm release {each['metadata']['name']}", _with_templates_decoded(release))


def openstack() -> Iterator[Evidence]:
    """Yield what administrators can see of servers, including user data, volumes and clusters."""
    with clients.connect("admin") as cloud:
        servers = cloud.compute.get("/servers/detail?all_tenants=1", microversion="2.3").json()["servers"]
        for each in servers:
            user_data = base64.b64decode(each.pop("OS-EXT-SRV-ATTR:user_data", None) or "")
            yield Evidence(f"the server {each['name']}", json.dumps(each).encode())
            yield Evidence(f"the user data of {each['name']}", user_data)
        volumes = cloud.block_storage.get("/volumes/detail?all_tenants=1").json()["volumes"]
        yield Evidence("the volumes", json.dumps(volumes).encode())
    with clients.connect("rsp") as cloud:
        for collection in ("clusters", "clustertemplates"):
            found = cloud.container_infrastructure_management.get(f"/{collection}").json()
            yield Evidence(f"Magnum's {collection}", json.dumps(found).encode())


def manifests(revision: str, checkout: Path) -> Iterator[Evidence]:
    """Yield the manifests of all applications, rendered by Argo CD from a checkout."""
    target = environment.load(checkout, "sandbox")
    rendered = render.applications(checkout, target, repo_url="file:///phalanx", target_revision=revision)
    for each in (charts.render(checkout, manifest) for manifest in rendered if manifest["kind"] == "Application"):
        yield Evidence(f"the manifests of {each.name}", json.dumps([each.manifests, each.external_values]).encode())


def repositories(checkout: Path) -> Iterator[Evidence]:
    """Yield the history of the sandbox's Phalanx repository and the files of its checkout."""
    history = subprocess.run(
        ("git", "--git-dir", paths.GIT, "log", "--patch", "--all"), capture_output=True, check=True
    ).stdout
    yield Evidence("the history of the Phalanx repository", history)
    yield from (Evidence(str(path), path.read_bytes()) for path in _files(checkout))


def state(since: float) -> Iterator[Evidence]:
    """Yield the backend's files, including backups and history, that were written after a time."""
    yield from (Evidence(str(path), path.read_bytes()) for path in _files(paths.STACKS) if path.stat().st_mtime > since)


def disk() -> Iterator[Evidence]:
    """Yield the sandbox's other files by path."""
    skipped = (*_SERVER_STORES, *paths.CLUSTERS.glob("*/data/etcd"), paths.STACKS, paths.LOG)
    for path in _files(paths.HOME):
        if not any(path.is_relative_to(each) for each in skipped):
            yield Evidence(str(path), path.read_bytes())


def decoded(value: str) -> str:
    """Return a value of a Kubernetes Secret."""
    return base64.b64decode(value).decode()


def _files(root: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _with_templates_decoded(release: bytes) -> bytes:
    """Return a release with its chart's files decoded from base64."""
    document = json.loads(release)
    files = (document["chart"].get("templates") or []) + (document["chart"].get("files") or [])
    return release + b"".join(base64.b64decode(each["data"] or "") for each in files)
