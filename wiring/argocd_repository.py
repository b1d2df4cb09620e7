"""How Argo CD gets access to a private Phalanx repository, or one on a server with a certificate of a private CA.

The keys are those of values.yaml of the chart argo-cd in https://github.com/argoproj/argo-helm.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from config.files import ca_certificates
from phalanx.application import Application
from phalanx.git_credentials import Anonymous, Credentials, SshKey, Token
from phalanx.values import get

ARGOCD = "argocd"
"""Name of the application."""

_REPOSITORIES = ("argo-cd", "configs", "repositories")
"""Repositories for each of which the chart creates a Secret with its credentials."""

_KNOWN_HOSTS = ("argo-cd", "configs", "ssh", "extraHosts")
"""Lines that the chart adds to those of well-known servers, in the ConfigMap argocd-ssh-known-hosts-cm."""

_CERTIFICATES = ("argo-cd", "configs", "tls", "certificates")
"""Certificates by host, as PEM, in the ConfigMap argocd-tls-certs-cm. For such a host, Argo CD trusts no other CA
(https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/)."""


def problems(repository: str, argocd: Application) -> Iterator[str]:
    """Yield a problem for each entry of the chart for the repository whose credentials this program creates.

    With two Secrets for the same URL, Argo CD takes either.

    Args:
        repository: URL of the Phalanx repository, which has credentials in the stack's configuration.
        argocd: The application.
    """
    entries = get(argocd.values, _REPOSITORIES)
    for name, entry in entries.items() if isinstance(entries, Mapping) else ():
        url = entry.get("url") if isinstance(entry, Mapping) else None
        if isinstance(url, str) and _normalized(url) == _normalized(repository):
            keys = (*_REPOSITORIES, str(name))
            yield (
                f"{argocd.file_of(*keys)}: {'.'.join(keys)}: Argo CD gets the credentials of {repository} from "
                "rsp:phalanx.credentials already: remove one of them"
            )


def _normalized(url: str) -> str:
    """Return a URL as Argo CD compares it (``NormalizeGitURL`` in argo-cd, util/git/git.go)."""
    return url.strip().lower().removesuffix("/").removesuffix(".git")


def helm_values(repository: str, credentials: Credentials | None, argocd: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Helm values with which Argo CD trusts the server of the repository.

    Args:
        repository: URL of the Phalanx repository.
        credentials: Credentials of the repository.
        argocd: Merged Helm values of argocd, whose own servers are kept.

    Returns:
        Helm values that override those of argocd; empty if its defaults suffice.
    """
    match credentials:
        case SshKey(known_hosts=known_hosts):
            given = str(get(argocd, _KNOWN_HOSTS) or "").splitlines()
            lines = dict.fromkeys([*given, *known_hosts])
            return _nested(_KNOWN_HOSTS, "".join(f"{line}\n" for line in lines))
        case Token(ca_file=ca_file) | Anonymous(ca_file=ca_file) if ca_file:
            # Without the port (ServerNameWithoutPort in argo-cd, util/cert/cert.go).
            return _nested((*_CERTIFICATES, str(urlsplit(repository).hostname)), ca_certificates(ca_file))
        case _:
            return {}


def _nested(keys: Iterable[str], value: Any) -> dict[str, Any]:
    for key in reversed([*keys]):
        value = {key: value}
    return dict(value)
