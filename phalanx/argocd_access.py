"""Who can log in to Argo CD, and what they may do there, by the settings of its application.

Sources: https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/ and rbac/, and
``util/settings/settings.go`` of https://github.com/argoproj/argo-cd, which ignores Dex without ``url``.
"""

import re
import shlex
from collections.abc import Iterator, Mapping
from typing import Any, Final

import yaml

from phalanx.application import Application
from phalanx.values import get

_CM: Final = ("argo-cd", "configs", "cm")
_RBAC: Final = ("argo-cd", "configs", "rbac")
_ROOT_PATH: Final = ("argo-cd", "configs", "params", "server.rootpath")
_BUILT_IN: Final = frozenset({"role:admin", "role:readonly"})
_GITHUB: Final = "github"


def login_command(host: str, values: Mapping[str, Any]) -> str:
    """Return the command line with which the ``argocd`` CLI logs in.

    Args:
        host: Host name of the platform.
        values: Helm values of the application argocd.
    """
    root = str(get(values, _ROOT_PATH) or "").strip("/")
    through_ingress = f"--grpc-web-root-path={root}" if root else "--grpc-web"
    if _has_single_sign_on(values):
        return shlex.join(["argocd", "login", host, through_ingress, "--sso"])
    user = ["--username=admin"] if _admin_can_log_in(values) else []
    return shlex.join(["argocd", "login", host, through_ingress, *user])


def problems(argocd: Application) -> Iterator[str]:
    """Yield settings with which nobody can log in, or with which those who log in have no permissions.

    Args:
        argocd: The application argocd.
    """
    values = argocd.values
    where = f"{argocd.file_of(*_CM, 'dex.config')}: {'.'.join(_CM)}.dex.config"
    if _setting(values, "dex.config"):
        if _connectors(values) is None:
            yield f"{where}: is ignored: expected YAML with a list `connectors`, each with type, id and name"
        elif not _setting(values, "url"):
            yield f"{where}: is ignored without {'.'.join(_CM)}.url: set it to https://HOST/argo-cd"
    if not (_has_single_sign_on(values) or _admin_can_log_in(values) or _has_local_account(values)):
        yield (
            f"{argocd.file_of(*_CM, 'admin.enabled')}: {'.'.join(_CM)}.admin.enabled: is false, and there is neither "
            "dex.config nor oidc.config nor an account with login: nobody can log in to Argo CD; add one of them, or "
            "set it to true"
        )
    if _has_single_sign_on(values):
        yield from _policy_problems(argocd)


def _policy_problems(argocd: Application) -> Iterator[str]:
    """Yield what gives those who log in by single sign-on fewer permissions than the policy says."""
    rbac = get(argocd.values, _RBAC)
    rbac = rbac if isinstance(rbac, Mapping) else {}
    where = f"{argocd.file_of(*_RBAC, 'policy.csv')}: {'.'.join(_RBAC)}.policy.csv"
    rules = [_fields(line) for line in str(rbac.get("policy.csv") or "").splitlines()]
    grants = [rule for rule in rules if len(rule) == 3 and rule[0] == "g"]  # noqa: PLR2004 - g, who, role
    if not any(rule[0] in {"g", "p"} for rule in rules) and not rbac.get("policy.default"):
        yield (
            f"{where}: is missing, as is policy.default: who logs in to Argo CD by single sign-on sees no "
            "application; expected lines such as `g, ORGANIZATION:TEAM, role:admin`"
        )
    known = {rule[1] for rule in rules if rule[0] == "p" and len(rule) > 1} | _BUILT_IN
    organizations, scopes = _organizations(argocd.values), str(rbac.get("scopes") or "[groups]")
    for _, who, role in grants:
        if role.startswith("role:") and role not in known:
            yield f"{where}: `g, {who}, {role}` gives no permissions: the policy has no line `p, {role}, ...`"
        if "@" in who and "email" not in scopes:
            yield f"{where}: `g, {who}, {role}` matches nobody: set {'.'.join(_RBAC)}.scopes to '[email, groups]'"
        organization, colon, _ = who.partition(":")
        if colon and organizations and organization not in {*organizations, "role", "proj"}:
            yield (
                f"{where}: `g, {who}, {role}` matches nobody: dex.config lets only members of "
                f"{', '.join(sorted(organizations))} log in"
            )


def _fields(line: str) -> list[str]:
    return [field.strip() for field in re.sub(r"#.*", "", line).split(",")]


def _setting(values: Mapping[str, Any], key: str) -> str:
    found = get(values, (*_CM, key))
    return "" if found is None else str(found).strip()


def _has_single_sign_on(values: Mapping[str, Any]) -> bool:
    dex = bool(_connectors(values)) and get(values, ("argo-cd", "dex", "enabled")) is not False
    return bool(_setting(values, "url")) and (dex or bool(_setting(values, "oidc.config")))


def _admin_can_log_in(values: Mapping[str, Any]) -> bool:
    return _setting(values, "admin.enabled").lower() != "false"


def _has_local_account(values: Mapping[str, Any]) -> bool:
    settings = get(values, _CM)
    return any(
        re.fullmatch(r"accounts\.[^.]+", str(key))
        and "login" in str(capabilities)
        and _setting(values, f"{key}.enabled").lower() != "false"
        for key, capabilities in (settings.items() if isinstance(settings, Mapping) else ())
    )


def _connectors(values: Mapping[str, Any]) -> list[Mapping[str, Any]] | None:
    """Return Dex's connectors; None if they are missing or malformed."""
    try:
        document = yaml.safe_load(_setting(values, "dex.config"))
    except yaml.YAMLError:
        return None
    found = document.get("connectors") if isinstance(document, Mapping) else None
    valid = isinstance(found, list) and found and all(isinstance(each, Mapping) for each in found)
    return found if valid else None


def _organizations(values: Mapping[str, Any]) -> set[str]:
    """Return the GitHub organizations whose members may log in; empty if others may, too."""
    connectors = _connectors(values) or []
    if any(each.get("type") != _GITHUB for each in connectors):
        return set()
    listed = [get(each, ("config", "orgs")) for each in connectors]
    if not all(isinstance(each, list) for each in listed):
        return set()
    return {str(each.get("name")) for orgs in listed for each in orgs or [] if isinstance(each, Mapping)}
