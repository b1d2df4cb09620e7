import base64
from dataclasses import dataclass
from typing import Any

from kubernetes import client, dynamic


@dataclass(frozen=True)
class Objects:
    """Objects of any kind in the cluster, as plain dictionaries."""

    api: client.ApiClient

    def all(self, api_version: str, kind: str, namespace: str | None = None) -> list[dict[str, Any]]:
        """Return all objects of a kind, in one namespace or in all.

        Raises:
            kubernetes.dynamic.exceptions.ResourceNotFoundError: The cluster does not have the kind.
        """
        found: dict[str, Any] = self._resource(api_version, kind).get(namespace=namespace).to_dict()
        return list(found["items"])

    def one(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any]:
        """Return an object by its name.

        Raises:
            kubernetes.client.ApiException: The object does not exist.
        """
        found: dict[str, Any] = self._resource(api_version, kind).get(name=name, namespace=namespace).to_dict()
        return found

    def applications(self) -> dict[str, dict[str, Any]]:
        """Return Argo CD's Applications by name."""
        found = self.all("argoproj.io/v1alpha1", "Application", "argocd")
        return {each["metadata"]["name"]: each for each in found}

    def secret(self, name: str, namespace: str) -> dict[str, str]:
        """Return the values of a Secret.

        Raises:
            kubernetes.client.ApiException: The Secret does not exist.
        """
        found = self.one("v1", "Secret", name, namespace)
        return {key: base64.b64decode(value).decode() for key, value in found["data"].items()}

    def _resource(self, api_version: str, kind: str) -> Any:
        everything = dynamic.DynamicClient(self.api)  # type: ignore[no-untyped-call]
        return everything.resources.get(api_version=api_version, kind=kind)
