"""A client for the Kubernetes API with plain JSON objects, based on the official client."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from kubernetes import client, config
from urllib3.exceptions import HTTPError

FIELD_MANAGER: Final = "rsp-sandbox"
_TIMEOUT: Final = 10  # seconds

Object = dict[str, Any]
"""A Kubernetes object, as in a manifest."""


class KubeError(Exception):
    """The API rejected a request, or did not respond (`status` is 0)."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


class Kube:
    """A Kubernetes API.

    Args:
        kubeconfig: File with the API server's URL and the credentials.
    """

    def __init__(self, kubeconfig: Path) -> None:
        self._client: client.ApiClient = config.new_client_from_config(  # type: ignore[no-untyped-call]
            str(kubeconfig), persist_config=False
        )

    def ready(self) -> bool:
        """Return whether the API server is ready."""
        try:
            self._request("GET", "/readyz")
        except KubeError:
            return False
        return True

    def get(self, path: str) -> Object | None:
        """Return the object at a path such as `/api/v1/namespaces/default`; None if it does not exist."""
        try:
            return self._json("GET", path)
        except KubeError as error:
            if error.status == 404:  # noqa: PLR2004 -- Not Found
                return None
            raise

    def list(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a collection such as `/api/v1/pods`."""
        items: list[Object] = self._json("GET", path, query=query)["items"]
        return items

    def create(self, collection: str, manifest: Object) -> Object:
        """Create an object in a collection."""
        return self._json("POST", collection, body=manifest)

    def apply(self, path: str, manifest: Object) -> Object:
        """Apply an object server-side at a path, overriding other field managers."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        return self._json("PATCH", path, body=manifest, query=query, content_type="application/apply-patch+yaml")

    def replace(self, path: str, manifest: Object) -> Object:
        """Replace the object at a path."""
        return self._json("PUT", path, body=manifest)

    def merge(self, path: str, changes: Object) -> Object:
        """Apply a JSON merge patch to the object at a path."""
        return self._json("PATCH", path, body=changes, content_type="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete the object at a path, if it exists."""
        try:
            self._request("DELETE", path)
        except KubeError as error:
            if error.status != 404:  # noqa: PLR2004 -- Not Found
                raise

    def _json(self, method: str, path: str, **options: Any) -> Object:
        answer: Object = json.loads(self._request(method, path, **options))
        return answer

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> bytes:
        request = self._client.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", "Content-Type": content_type},
            body=body,
            auth_settings=["BearerToken"],
        )
        try:
            response = self._client.call_api(*request, _request_timeout=_TIMEOUT)
        except HTTPError as error:
            raise KubeError(f"{method} {path}: {error}") from error
        content: bytes = response.read()  # type: ignore[no-untyped-call]
        if not 200 <= response.status < 300:  # noqa: PLR2004 -- HTTP success codes
            raise KubeError(f"{method} {path}: {_message(content)}", response.status)
        return content


def _message(content: bytes) -> str:
    """Return the message of a `Status` object, or else the response."""
    try:
        return str(json.loads(content)["message"])
    except (ValueError, KeyError, TypeError):
        return content.decode(errors="replace").strip()
