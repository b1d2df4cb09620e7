"""Host names in an environment's values that contradict its own, or each other."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import yaml

from phalanx import documents
from phalanx.application import Application
from phalanx.documents import read_mapping
from phalanx.environment import Environment, names
from phalanx.errors import PhalanxError
from phalanx.values import get

_HOSTS: Final[Sequence[tuple[str, tuple[str, ...], str]]] = (
    (
        "argocd",
        ("argo-cd", "server", "ingress", "hostname"),
        "Argo CD's Ingress does not answer at the platform's name",
    ),
    ("argocd", ("argo-cd", "global", "domain"), "Argo CD's Ingress does not answer at the platform's name"),
    ("argocd", ("argo-cd", "configs", "cm", "url"), "logins to Argo CD are redirected to another host"),
    ("gafaelfawr", ("config", "oidcServer", "issuer"), "clients refuse the tokens of the platform's OpenID server"),
    ("squareone", ("config", "semaphoreUrl"), "the home page shows another platform's messages"),
    ("squareone", ("config", "timesSquareUrl"), "the home page shows another platform's reports"),
)
"""Values of applications that repeat the platform's host name, as a name or in a URL, and what a wrong one does."""

_DEX: Final = ("argo-cd", "configs", "cm", "dex.config")
"""Keys of Argo CD's sign-in with Dex, whose connectors may repeat the platform's URL."""


def problems(root: Path, environment: Environment, applications: Mapping[str, Application]) -> Iterator[str]:
    """Yield one message per value with the host name of another platform, which starts with file and key.

    Args:
        root: Directory of the checkout.
        environment: The environment.
        applications: Its enabled applications, by name.
    """
    for name, place, effect in _HOSTS:
        if name in applications:
            value = get(applications[name].values, place)
            yield from _compared(environment, applications[name], place, value, effect)
    if "argocd" in applications:
        yield from _redirects(environment, applications["argocd"])
    compared = {(name, keys) for name, keys, _ in _HOSTS}
    others = [
        (application, keys, value)
        for name, application in applications.items()
        for keys, value in _ingress_hosts(application.values)
        if value != environment.fqdn and (name, keys) not in compared
    ]
    platforms = _platforms(root) if others else {}
    for application, keys, value in others:
        if value in platforms:
            effect = f"the Ingress answers at the name of the environment {platforms[value]}"
            yield from _compared(environment, application, keys, value, effect)


def host(value: str) -> str:
    """Return the host of a URL or a host name; empty if it is neither."""
    try:
        return urlsplit(value if "//" in value else f"//{value}").hostname or ""
    except ValueError:
        return ""


def _compared(
    environment: Environment, application: Application, keys: Sequence[str], value: Any, effect: str
) -> Iterator[str]:
    """Report a value with another host than the platform's."""
    if not isinstance(value, str) or not value or host(value) == environment.fqdn:
        return
    expected = value.replace(host(value), environment.fqdn) if host(value) else environment.fqdn
    yield (
        f"{application.file_of(*keys)}: {'.'.join(keys)}: is {value!r}, expected {expected!r}, as fqdn in "
        f"environments/values-{environment.name}.yaml is {environment.fqdn}: otherwise {effect}"
    )


def _redirects(environment: Environment, argocd: Application) -> Iterator[str]:
    """Report redirects to other hosts in the connectors of Dex, whose configuration is YAML in a text."""
    text = get(argocd.values, _DEX)
    try:
        found = documents.parse(text, "dex.config") if isinstance(text, str) else None
    except (yaml.YAMLError, PhalanxError):
        return  # Dex reports it
    connectors = found.get("connectors") if isinstance(found, Mapping) else None
    for connector in connectors if isinstance(connectors, list) else []:
        value = get(connector, ("config", "redirectURI")) if isinstance(connector, Mapping) else None
        effect = "logins to Argo CD with Dex end at another host (redirectURI of a connector)"
        yield from _compared(environment, argocd, _DEX, value, effect)


def _platforms(root: Path) -> dict[str, str]:
    """Return the environments of the checkout by host name, without those whose file is malformed."""
    found: dict[str, str] = {}
    for name in names(root):
        with contextlib.suppress(PhalanxError):
            found[str(read_mapping(root / "environments" / f"values-{name}.yaml", root).get("fqdn"))] = name
    return found


def _ingress_hosts(values: Mapping[str, Any], parents: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield the host names of Ingresses in Helm values, with their keys."""
    for key, value in values.items():
        keys = (*parents, str(key))
        if isinstance(value, Mapping):
            yield from _ingress_hosts(value, keys)
        elif key in {"host", "hostname"} and "ingress" in parents and isinstance(value, str):
            yield keys, value
