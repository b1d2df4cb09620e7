"""Read-only questions to the Kubernetes API of a cluster."""

import base64
import json
import ssl
import tempfile
from pathlib import Path
from typing import Any
from urllib import error, parse, request

import yaml

TIMEOUT = 10
"""Seconds that the API may take for an answer."""

Object = dict[str, Any]
"""An object of the Kubernetes API."""


class KubernetesError(Exception):
    """The Kubernetes API cannot be asked, or refuses to answer."""


class KubernetesApi:
    """The Kubernetes API, asked as a kubeconfig allows.

    Args:
        kubeconfig: Text of a kubeconfig with a client certificate, as Magnum's clusters have it. It is read only.

    Raises:
        KubernetesError: The kubeconfig is not of that form.
    """

    def __init__(self, kubeconfig: str) -> None:
        try:
            document = yaml.safe_load(kubeconfig)
            cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
            self._server = cluster["server"].rstrip("/")
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(cadata=base64.b64decode(cluster["certificate-authority-data"]).decode())
            _load_credentials(context, user["client-certificate-data"], user["client-key-data"])
        except (KeyError, TypeError, IndexError, ValueError, OSError, yaml.YAMLError) as wrong:
            # Its text may hold parts of the key.
            raise KubernetesError(
                f"the cluster's kubeconfig cannot be used ({type(wrong).__name__}): a server, its authority and a "
                "client certificate with its key are expected"
            ) from None
        self._opener = request.build_opener(request.HTTPSHandler(context=context))

    def get(self, path: str, **query: str) -> Object | None:
        """Return what stands at a path of the API, None if nothing does.

        Raises:
            KubernetesError: The API does not answer, or refuses to.
        """
        url = f"{self._server}{path}" + (f"?{parse.urlencode(query)}" if query else "")
        try:
            with self._opener.open(url, timeout=TIMEOUT) as answer:
                found: Object = json.load(answer)
                return found
        except error.HTTPError as refused:
            if refused.code == 404:  # noqa: PLR2004  # HTTP's "not found"
                return None
            raise KubernetesError(f"the Kubernetes API at {self._server} refuses {path}: {refused}") from refused
        except (OSError, ValueError) as wrong:
            reason = getattr(wrong, "reason", wrong)
            raise KubernetesError(f"the Kubernetes API at {self._server} does not answer: {reason}") from wrong

    def items(self, path: str, **query: str) -> list[Object]:
        """Return the objects of a list; none if the cluster does not know their kind.

        Raises:
            KubernetesError: The API does not answer, or refuses to.
        """
        return list((self.get(path, **query) or {}).get("items") or [])


def _load_credentials(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Give a client certificate to a context, which takes it from files only; they are gone when this returns."""
    with tempfile.TemporaryDirectory() as folder:
        certificate_file, key_file = Path(folder, "client.crt"), Path(folder, "client.key")
        for file, content in ((certificate_file, certificate), (key_file, key)):
            file.touch(mode=0o600)
            file.write_bytes(base64.b64decode(content))
        context.load_cert_chain(certificate_file, key_file)
