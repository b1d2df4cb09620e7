"""How Argo CD gets access to a private Phalanx repository.

The keys are those of values.yaml of the chart argo-cd in https://github.com/argoproj/argo-helm.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from config.applications import WiringMode
from phalanx.application import Application
from phalanx.git_credentials import SshKey
from phalanx.source import PhalanxSource
from phalanx.values import get, merge

ARGOCD = "argocd"
"""Name of the application."""

_REPOSITORIES = ("argo-cd", "configs", "repositories")
"""Repositories for each of which the chart creates a Secret with its credentials."""

_KNOWN_HOSTS = ("argo-cd", "configs", "ssh", "extraHosts")
"""Lines that the chart adds to those of well-known servers, in the ConfigMap argocd-ssh-known-hosts-cm."""


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


def helm_values(credentials: object, argocd: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Helm values with which Argo CD trusts the server of a private repository.

    Args:
        credentials: Credentials of the repository.
        argocd: Merged Helm values of argocd, whose own lines are kept.

    Returns:
        Helm values that override those of argocd; empty if the repository is not read with SSH.
    """
    if not isinstance(credentials, SshKey):
        return {}
    given = str(get(argocd, _KNOWN_HOSTS) or "").splitlines()
    lines = dict.fromkeys([*given, *credentials.known_hosts])
    nested: Any = "".join(f"{line}\n" for line in lines)
    for key in reversed(_KNOWN_HOSTS):
        nested = {key: nested}
    return dict(nested)


def trusted(source: PhalanxSource, mode: WiringMode) -> PhalanxSource:
    """Return an environment in which Argo CD trusts the server of its repository, from its installation on.

    Args:
        source: The environment.
        mode: Whether the Application of Argo CD may override values of the repository.
    """
    values = helm_values(source.checkout.credentials, source.values(ARGOCD))
    if not values:
        return source
    chart, configured = source.charts[ARGOCD], dict(source.configured)
    if mode is WiringMode.APPLY:
        configured[ARGOCD] = merge(configured.get(ARGOCD, {}), values)
    charts = {**source.charts, ARGOCD: replace(chart, values=merge(chart.values, values))}
    return replace(source, configured=configured, charts=charts)
