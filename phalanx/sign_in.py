"""How users sign in to a platform: the identity provider of Gafaelfawr, and that of Argo CD.

Source of the rules: ``Config`` in src/gafaelfawr/config.py of https://github.com/lsst-sqre/gafaelfawr, version 11 and
later, which refuses to start otherwise; applications/gafaelfawr/values.yaml of Phalanx.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from phalanx.application import Application
from phalanx.environment import Environment
from phalanx.values import get, is_true

_GUIDE: Final = "docs/howto/sign-in.md"

PROVIDERS: Final = {"github": "GitHub", "cilogon": "CILogon", "oidc": "OpenID Connect"}
"""Identity providers, by their section in ``config`` of Gafaelfawr. One is in use if its ``clientId`` is set; its
secret in Vault is ``<section>-client-secret``."""

_REQUIRED: Final = {
    "oidc": ("loginUrl", "tokenUrl", "issuer"),
    "ldap": ("groupBaseDn", "userBaseDn"),
}
"""Values that a section requires if it is in use."""


def provider(gafaelfawr: Application) -> str:
    """Return the section of the identity provider; empty if none or several are configured."""
    found = _providers(gafaelfawr)
    return found[0] if len(found) == 1 else ""


def contradictions(gafaelfawr: Application) -> Iterator[str]:
    """Yield the reasons why Gafaelfawr would not start, and nobody could sign in; each starts with file and key."""
    found = _providers(gafaelfawr)
    choices = ", ".join(f"config.{each}.clientId" for each in PROVIDERS)
    if not found:
        yield (
            f"{gafaelfawr.file_of('config')}: config: configures no sign-in, expected one of {choices}: Gafaelfawr "
            f"does not start without ({_GUIDE})"
        )
        return
    for each in found[1:]:
        keys = ("config", each, "clientId")
        yield (
            f"{gafaelfawr.file_of(*keys)}: {'.'.join(keys)}: is set, as is config.{found[0]}.clientId, expected only "
            f"one of {choices}: Gafaelfawr does not start with several; remove the others ({_GUIDE})"
        )
    if len(found) == 1:
        yield from _user_information(gafaelfawr, found[0])
    yield from _unknown_scopes(gafaelfawr)


def doubts(gafaelfawr: Application) -> Iterator[str]:
    """Yield settings with which Gafaelfawr starts, but that do not have the intended effect, as `contradictions`."""
    mapping, keys = get(gafaelfawr.values, ("config", "groupMapping")), ("config", "groupMapping")
    if not mapping:
        yield (
            f"{gafaelfawr.file_of(*keys)}: {'.'.join(keys)}: is empty, expected the groups of each scope: otherwise "
            f"users can sign in, but not use anything ({_GUIDE}#groups)"
        )
    found = provider(gafaelfawr)
    for scope, groups in mapping.items() if isinstance(mapping, Mapping) else ():
        if found != "github" and any(isinstance(each, Mapping) for each in groups or ()):
            yield (
                f"{gafaelfawr.file_of(*keys, scope)}: {'.'.join(keys)}[{scope}]: has a team of GitHub, but users sign "
                f"in with {PROVIDERS.get(found, 'another provider')}: expected names of groups in LDAP"
            )


def callbacks(environment: Environment, applications: Mapping[str, Application]) -> Iterator[str]:
    """Yield one line per identity provider, with the callback URL that must be registered there.

    Args:
        environment: The environment.
        applications: Its enabled applications, by name.
    """
    gafaelfawr, argocd = applications.get("gafaelfawr"), applications.get("argocd")
    if gafaelfawr and (found := provider(gafaelfawr)):
        client = get(gafaelfawr.values, ("config", found, "clientId"))
        # GAFAELFAWR_REDIRECT_URL in applications/gafaelfawr/templates/_helpers.tpl.
        yield (
            f"sign-in: {PROVIDERS[found]}, client ID {client}, callback URL https://{environment.fqdn}/login, secret "
            f"gafaelfawr/{found}-client-secret"
        )
    settings = get(argocd.values, ("argo-cd", "configs", "cm")) if argocd else None
    if isinstance(settings, Mapping):
        url = str(settings.get("url") or f"https://{environment.fqdn}/argo-cd").rstrip("/")
        for key, path in (("dex.config", "api/dex/callback"), ("oidc.config", "auth/callback")):
            if settings.get(key):
                yield f"sign-in to Argo CD: {key}, callback URL {url}/{path}, secret argocd/dex.clientSecret"


def _providers(gafaelfawr: Application) -> list[str]:
    return [each for each in PROVIDERS if is_true(gafaelfawr.values, f"config.{each}.clientId")]


def _user_information(gafaelfawr: Application, found: str) -> Iterator[str]:
    """Report a missing or useless source of the users' names, IDs and groups."""
    ldap = ("config", "ldap", "url")
    has_ldap = is_true(gafaelfawr.values, ".".join(ldap))
    if found == "github" and has_ldap:
        yield (
            f"{gafaelfawr.file_of(*ldap)}: {'.'.join(ldap)}: is set, but users sign in with GitHub, which has their "
            "groups, too: Gafaelfawr does not start with both; remove config.ldap, or choose another provider "
            f"({_GUIDE})"
        )
    elif found != "github" and not has_ldap:
        yield (
            f"{gafaelfawr.file_of(*ldap)}: {'.'.join(ldap)}: is not set, expected the LDAP server with the users' IDs "
            f"and groups, for example ldaps://ldap.example.org: Gafaelfawr requires one with {PROVIDERS[found]} "
            f"({_GUIDE})"
        )
    for section in (found, *(["ldap"] if has_ldap else [])):
        for key in _REQUIRED.get(section, ()):
            if not is_true(gafaelfawr.values, f"config.{section}.{key}"):
                yield (
                    f"{gafaelfawr.file_of('config', section, key)}: config.{section}.{key}: is not set, but Gafaelfawr "
                    f"requires it if config.{section} is configured ({_GUIDE})"
                )


def _unknown_scopes(gafaelfawr: Application) -> Iterator[str]:
    mapping: Any = get(gafaelfawr.values, ("config", "groupMapping"))
    known: Any = get(gafaelfawr.values, ("config", "knownScopes"))
    if not isinstance(mapping, Mapping) or not isinstance(known, Mapping):
        return
    for scope in mapping:
        if scope not in known:
            yield (
                f"{gafaelfawr.file_of('config', 'groupMapping', scope)}: config.groupMapping[{scope}]: is not one of "
                "config.knownScopes, without which Gafaelfawr does not start: correct it, or add the scope there"
            )
