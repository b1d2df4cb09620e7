"""Where else a secret could stand in clear: in the cluster, in OpenStack, in logs, in repositories, on the disk."""

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
"""What databases keep; `git` and the APIs are asked for what is in it."""


class ServiceLogs:
    """What the sandbox's services have logged since this was made."""

    def __init__(self) -> None:
        self._began = {path: path.stat().st_size for path in logs.files().values() if path.exists()}

    def written(self) -> Iterator[Evidence]:
        """The new part of each log."""
        for name, path in logs.files().items():
            with path.open("rb") as file:
                file.seek(self._began.get(path, 0))
                yield Evidence(f"the log of {name}", file.read())


def cluster(api: client.ApiClient) -> Iterator[Evidence]:
    """Every object of every kind but Secrets, which are where secrets belong; of those, what Helm keeps of releases."""
    discovered = dynamic.DynamicClient(api)  # type: ignore[no-untyped-call]
    for resource in discovered.resources.search():
        listed = "list" in (getattr(resource, "verbs", None) or ()) and not resource.kind.endswith("List")
        if not listed or resource.kind == "Secret":
            continue
        try:
            found = resource.get().to_dict()["items"]
        except ApiException:
            continue  # a kind that cannot be listed over all namespaces holds nothing
        for each in found:
            name = "/".join(filter(None, (each["metadata"].get("namespace"), each["metadata"]["name"])))
            yield Evidence(f"{resource.kind} {name}", json.dumps(each).encode())
    secrets = discovered.resources.get(api_version="v1", kind="Secret").get().to_dict()["items"]
    for each in secrets:
        if each["type"] == HELM_RELEASE:
            release = gzip.decompress(base64.b64decode(base64.b64decode(each["data"]["release"])))
            yield Evidence(f"the Helm release {each['metadata']['name']}", _with_templates_decoded(release))


def openstack() -> Iterator[Evidence]:
    """What OpenStack tells an administrator of servers, with their user data, of volumes and clusters."""
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
    """The manifests of every application, as Argo CD renders them from a checkout."""
    target = environment.load(checkout, "sandbox")
    told = render.applications(checkout, target, repo_url="file:///phalanx", target_revision=revision)
    for each in (charts.render(checkout, manifest) for manifest in told if manifest["kind"] == "Application"):
        yield Evidence(f"the manifests of {each.name}", json.dumps([each.manifests, each.external_values]).encode())


def repositories(checkout: Path) -> Iterator[Evidence]:
    """All that Git keeps of the sandbox's Phalanx, and the files of its checkout."""
    history = subprocess.run(
        ("git", "--git-dir", paths.GIT, "log", "--patch", "--all"), capture_output=True, check=True
    ).stdout
    yield Evidence("the history of the Phalanx repository", history)
    yield from (Evidence(str(path), path.read_bytes()) for path in _files(checkout))


def state(since: float) -> Iterator[Evidence]:
    """The files of the backend, with backups and history, that were written after a time."""
    yield from (Evidence(str(path), path.read_bytes()) for path in _files(paths.STACKS) if path.stat().st_mtime > since)


def disk() -> Iterator[Evidence]:
    """The sandbox's other files, by their path."""
    skipped = (*_SERVER_STORES, *paths.CLUSTERS.glob("*/data/etcd"), paths.STACKS, paths.LOG)
    for path in _files(paths.HOME):
        if not any(path.is_relative_to(each) for each in skipped):
            yield Evidence(str(path), path.read_bytes())


def decoded(value: str) -> str:
    """A value of a Kubernetes Secret."""
    return base64.b64decode(value).decode()


def _files(root: Path) -> Iterator[Path]:
    for directory, _, names in os.walk(root):
        for name in sorted(names):
            path = Path(directory, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _with_templates_decoded(release: bytes) -> bytes:
    """A release holds its chart's files in base64 of their own."""
    document = json.loads(release)
    files = (document["chart"].get("templates") or []) + (document["chart"].get("files") or [])
    return release + b"".join(base64.b64decode(each["data"] or "") for each in files)
