from typing import Any

import pytest

from phalanx import argocd_access
from phalanx.application import Application

FILE = "applications/argocd/values-test.yaml"
URL = "https://rsp.example.org/argo-cd"
GITHUB = """
connectors:
  - {type: github, id: github, name: GitHub, config: {clientID: id, orgs: [{name: lsst-uk}]}}
"""
GOOGLE = "connectors: [{type: google, id: google, name: Google, config: {hostedDomains: [lsst.cloud]}}]"
ADMINS = "g, lsst-uk:admins, role:admin"


def values(rbac: dict[str, Any] | None = None, dex: bool = True, **cm: Any) -> dict[str, Any]:
    named = {key.replace("_", ".", 1): value for key, value in cm.items()}
    params = {"server.rootpath": "/argo-cd"}
    return {"argo-cd": {"configs": {"cm": named, "rbac": rbac or {}, "params": params}, "dex": {"enabled": dex}}}


def problems(found: dict[str, Any]) -> list[str]:
    return list(argocd_access.problems(Application(name="argocd", values=found, files={FILE: found})))


def login(found: dict[str, Any]) -> str:
    return argocd_access.login_command("rsp.example.org", found)


@pytest.mark.parametrize(
    ("found", "flags"),
    [
        (values(), "--username=admin"),
        (values(url=URL), "--username=admin"),
        (values(url=URL, dex_config=GITHUB), "--sso"),
        (values(url=URL, oidc_config="name: Okta"), "--sso"),
        (values(dex_config=GITHUB), "--username=admin"),
        (values(url=URL, dex_config=GITHUB, dex=False), "--username=admin"),
    ],
)
def test_the_command_uses_what_the_environment_has(found: dict[str, Any], flags: str) -> None:
    assert login(found) == f"argocd login rsp.example.org --grpc-web-root-path=argo-cd {flags}"


def test_a_local_account_is_asked_for_its_name() -> None:
    found = values(admin_enabled="false") | {}
    found["argo-cd"]["configs"]["cm"]["accounts.operator"] = "apiKey, login"
    assert login(found) == "argocd login rsp.example.org --grpc-web-root-path=argo-cd"
    assert problems(found) == []


@pytest.mark.parametrize(
    "found",
    [
        values(),
        values(url=URL, dex_config=GITHUB, rbac={"policy.csv": f"# admins\n{ADMINS}\n"}),
        values(url=URL, dex_config=GITHUB, rbac={"policy.default": "role:readonly"}, admin_enabled=False),
        values(url=URL, dex_config=GOOGLE, rbac={"policy.csv": "g, a@lsst.cloud, role:admin", "scopes": "[email]"}),
        values(
            url=URL,
            dex_config=GITHUB,
            rbac={"policy.csv": "p, role:portal, applications, get, */*, allow\ng, lsst-uk:portal, role:portal"},
        ),
    ],
)
def test_settings_with_which_someone_can_work_are_accepted(found: dict[str, Any]) -> None:
    assert problems(found) == []


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (values(admin_enabled=False), "admin.enabled: is false, and there is neither dex.config"),
        (values(admin_enabled="false", accounts_ci="apiKey"), "nobody can log in to Argo CD"),
        (values(url=URL, dex_config="connectors: ["), "dex.config: is ignored: expected YAML"),
        (values(dex_config=GITHUB), "dex.config: is ignored without argo-cd.configs.cm.url"),
        (values(url=URL, dex_config=GITHUB), "policy.csv: is missing, as is policy.default"),
        (
            values(url=URL, dex_config=GITHUB, rbac={"policy.csv": "g, lsst-sqre:square, role:admin"}),
            "`g, lsst-sqre:square, role:admin` matches nobody: dex.config lets only members of lsst-uk log in",
        ),
        (
            values(url=URL, dex_config=GITHUB, rbac={"policy.csv": "g, lsst-uk:portal, role:portal"}),
            "gives no permissions: the policy has no line `p, role:portal, ...`",
        ),
        (
            values(url=URL, dex_config=GOOGLE, rbac={"policy.csv": "g, a@lsst.cloud, role:admin"}),
            "matches nobody: set argo-cd.configs.rbac.scopes to '[email, groups]'",
        ),
    ],
)
def test_settings_that_leave_someone_out_are_reported(found: dict[str, Any], expected: str) -> None:
    (problem,) = problems(found)
    assert problem.startswith(f"{FILE}: argo-cd.configs.")
    assert expected in problem
