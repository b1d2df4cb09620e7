"""An in-memory Kubernetes API, with the requests that the cluster's controllers use."""

import copy
from typing import Any

from sandbox.cluster.kube import Kube, KubeError, Object

COLLECTIONS = {
    "Node": "/api/v1/nodes",
    "Pod": "/api/v1/pods",
    "VaultSecret": "/apis/ricoberger.de/v1alpha1/vaultsecrets",
    "Service": "/api/v1/services",
    "Ingress": "/apis/networking.k8s.io/v1/ingresses",
    "IngressClass": "/apis/networking.k8s.io/v1/ingressclasses",
}


class FakeKube(Kube):
    """Stores objects by path; lists over all namespaces are by kind."""

    def __init__(self) -> None:
        self.objects: dict[str, Object] = {}
        self.writes: list[str] = []
        self.refused: set[str] = set()

    def add(self, path: str, manifest: Object) -> Object:
        """Store an object, as another client would create it."""
        self.objects[path] = manifest
        return manifest

    def get(self, path: str) -> Object | None:
        return copy.deepcopy(self.objects.get(path))

    def list(self, path: str, **query: str) -> list[Object]:
        kind = next(kind for kind, collection in COLLECTIONS.items() if collection == path)
        wanted = dict(pair.split("=") for pair in query.get("labelSelector", "").split(",") if pair)
        return [
            copy.deepcopy(each)
            for each in self.objects.values()
            if each["kind"] == kind and wanted.items() <= each["metadata"].get("labels", {}).items()
        ]

    def create(self, collection: str, manifest: Object) -> Object:
        return self._write(f"{collection}/{manifest['metadata']['name']}", manifest)

    def apply(self, path: str, manifest: Object) -> Object:
        return self._write(path, manifest)

    def replace(self, path: str, manifest: Object) -> Object:
        return self._write(path, manifest)

    def merge(self, path: str, changes: Object) -> Object:
        target = path.removesuffix("/status")
        self.writes.append(path)
        self.objects[target] = _merged(self.objects[target], changes)
        return self.objects[target]

    def delete(self, path: str) -> None:
        self.writes.append(path)
        self.objects.pop(path, None)

    def _write(self, path: str, manifest: Object) -> Object:
        if path in self.refused:
            raise KubeError("refused", 403)
        self.writes.append(path)
        self.objects[path] = copy.deepcopy(manifest)
        return manifest


def _merged(target: Any, changes: Any) -> Any:
    if not isinstance(target, dict) or not isinstance(changes, dict):
        return changes
    return {**target, **{key: _merged(target.get(key), value) for key, value in changes.items()}}
