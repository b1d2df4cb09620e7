"""A small client for the Kubernetes API; it keeps the kubeconfig in memory."""

import base64
import contextlib
import os
import ssl
import threading
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import requests
import yaml
from requests.adapters import HTTPAdapter

from phalanx.errors import PhalanxError
from probes.retries import retry_reads

TIMEOUT = 15
"""Seconds to wait for a response."""

Object = dict[str, Any]
"""An object of the Kubernetes API."""


class KubernetesError(PhalanxError):
    """The Kubernetes API cannot be reached or refuses a request, or the kubeconfig cannot be used."""


class KubernetesApi:
    """A client for the Kubernetes API of the current context of a kubeconfig.

    Args:
        kubeconfig: Text of a kubeconfig with a client certificate or a token.

    Raises:
        KubernetesError: It has no usable current context.
    """

    def __init__(self, kubeconfig: str) -> None:
        try:
            document = yaml.safe_load(kubeconfig)
            context = _entry(document, "contexts", document["current-context"])["context"]
            cluster = _entry(document, "clusters", context["cluster"])["cluster"]
            user = _entry(document, "users", context["user"])["user"]
            self.server = str(cluster["server"]).rstrip("/")
            """URL of the API server."""
            adapter = _Adapter(_tls(cluster, user))
        except (yaml.YAMLError, KeyError, TypeError, StopIteration, ValueError, OSError):
            # The message of the exception may contain a part of the document.
            raise KubernetesError(
                "the cluster's kubeconfig cannot be used: expected a current context with a server, its CA "
                "certificate, and a token or a client certificate with its key; run `pulumi refresh` to read it again"
            ) from None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", adapter)
        retry_reads(self._session)
        if token := user.get("token"):
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> Object | None:
        """Return the object or list at a path, or None if it does not exist.

        Raises:
            KubernetesError: The API cannot be reached, or refuses the request.
        """
        return self._call("GET", path, query)

    def items(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a list, which is empty if the cluster does not have their kind; raises as `get`."""
        return list((self.get(path, **query) or {}).get("items") or [])

    def delete(self, path: str) -> None:
        """Delete an object; raises as `get`."""
        self._call("DELETE", path, {})

    def merge(self, path: str, change: Object) -> None:
        """Change the fields of an object that a JSON merge patch (RFC 7396) contains; raises as `get`."""
        self._call("PATCH", path, {}, json=change, headers={"Content-Type": "application/merge-patch+json"})

    def collection(self, api_version: str, kind: str, namespace: str | None) -> str | None:
        """Return the path of the objects of a kind, or None if the cluster does not have it; raises as `get`."""
        root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
        listed = self.get(root)
        for each in (listed or {}).get("resources", []):
            if each["kind"] == kind and "/" not in each["name"]:
                within = f"/namespaces/{quote(namespace or 'default')}" if each["namespaced"] else ""
                return f"{root}{within}/{each['name']}"
        return None

    def _call(self, method: str, path: str, query: Mapping[str, str], **request: Any) -> Object | None:
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            response = self._session.request(method, url, timeout=TIMEOUT, **request)
            if response.status_code == requests.codes.not_found:
                return None
            if response.ok:
                found: Object = response.json()
                return found
        except requests.exceptions.RequestException as error:
            raise KubernetesError(f"the Kubernetes API at {self.server} does not answer: {error}") from error
        refusal = f"{response.status_code} {response.reason}"
        raise KubernetesError(f"the Kubernetes API at {self.server} refuses {method} {path}: {refusal}")


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)

    def cert_verify(self, conn: Any, *_: object, **__: object) -> None:
        """Trust only the cluster's CA in the SSL context; requests would add all public ones."""
        conn.cert_reqs = "CERT_REQUIRED"


def claim_path(namespace: str, name: str) -> str:
    """Return the path of a PersistentVolumeClaim.

    Args:
        namespace: Its namespace.
        name: Its name.
    """
    return f"/api/v1/namespaces/{quote(namespace)}/persistentvolumeclaims/{quote(name)}"


def _entry(document: Mapping[str, Any], section: str, name: str) -> Mapping[str, Any]:
    return next(each for each in document[section] if each["name"] == name)


def _tls(cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
    if "client-key-data" in user:
        with _Readable(user["client-certificate-data"]) as certificate, _Readable(user["client-key-data"]) as key:
            context.load_cert_chain(certificate, key)
    elif "token" not in user:
        raise ValueError("neither a client certificate nor a token")
    return context


class _Readable:
    """A path that is not on disk and can be read once: Python's ssl module loads keys only from a path."""

    def __init__(self, encoded: str) -> None:
        self._content = base64.b64decode(encoded)

    def __enter__(self) -> str:
        self._reader, writer = os.pipe()
        self._thread = threading.Thread(target=self._write, args=(writer,), daemon=True)
        self._thread.start()
        return f"/dev/fd/{self._reader}"

    def __exit__(self, *_: object) -> None:
        os.close(self._reader)
        self._thread.join()

    def _write(self, writer: int) -> None:
        with open(writer, "wb") as pipe, contextlib.suppress(BrokenPipeError):
            pipe.write(self._content)
