"""A cluster's API for a few questions, with the kubeconfig in memory only."""

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

TIMEOUT = 15
"""Seconds that the API may take for an answer."""


class KubernetesError(PhalanxError):
    """The cluster refuses, or its kubeconfig cannot be used."""


class Cluster:
    """A cluster, as the user of a kubeconfig.

    Args:
        kubeconfig: The document as text.

    Raises:
        KubernetesError: It has no current context, or a way to log in that is not implemented here.
    """

    def __init__(self, kubeconfig: str) -> None:
        try:
            document = yaml.safe_load(kubeconfig)
            context = _entry(document, "contexts", document["current-context"])["context"]
            cluster = _entry(document, "clusters", context["cluster"])["cluster"]
            user = _entry(document, "users", context["user"])["user"]
            self.server = str(cluster["server"]).rstrip("/")
            adapter = _Adapter(_tls(cluster, user))
        except (yaml.YAMLError, KeyError, TypeError, StopIteration, ValueError, ssl.SSLError):
            # What went wrong may repeat a part of the document.
            raise KubernetesError(
                "the kubeconfig in the state has no usable current context: `pulumi refresh` brings Magnum's anew"
            ) from None
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.mount("https://", adapter)
        if token := user.get("token"):
            self._session.headers["Authorization"] = f"Bearer {token}"

    def get(self, path: str, **query: str) -> Mapping[str, Any] | None:
        """An object or a list; None if there is no such thing, or no such kind.

        Raises:
            KubernetesError: The cluster refuses.
            requests.exceptions.RequestException: It does not answer.
        """
        return self._call("GET", path, query)

    def delete(self, path: str) -> None:
        """Remove an object; errors as for `get`."""
        self._call("DELETE", path, {})

    def collection(self, api_version: str, kind: str, namespace: str | None) -> str | None:
        """The path under which the objects of a kind are; None if the cluster does not know the kind."""
        root = "/api/v1" if api_version == "v1" else f"/apis/{api_version}"
        listed = self.get(root)
        for each in (listed or {}).get("resources", []):
            if each["kind"] == kind and "/" not in each["name"]:
                within = f"/namespaces/{quote(namespace or 'default')}" if each["namespaced"] else ""
                return f"{root}{within}/{each['name']}"
        return None

    def _call(self, method: str, path: str, query: Mapping[str, str]) -> Mapping[str, Any] | None:
        url = f"{self.server}{path}" + (f"?{urlencode(query)}" if query else "")
        answer = self._session.request(method, url, timeout=TIMEOUT)
        if answer.status_code == requests.codes.not_found:
            return None
        if not answer.ok:
            raise KubernetesError(f"{self.server} answers {answer.status_code} {answer.reason} to {method} {path}")
        found: Mapping[str, Any] = answer.json()
        return found


class _Adapter(HTTPAdapter):
    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, ssl_context=self._context, **options)

    def cert_verify(self, conn: Any, *_: object, **__: object) -> None:
        """Leave it to the context, whose one authority is the cluster's: requests would add all public ones."""
        conn.cert_reqs = "CERT_REQUIRED"


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
    """Bytes under a path that can be read once: Python's TLS takes a key from a path only, and this one is no file."""

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
