from typing import Any

import pytest

from phalanx import sign_in
from phalanx.application import Application
from phalanx.environment import Environment
from phalanx.values import merge
from tests.unit.phalanx.repository import SETTINGS

FILE = "applications/gafaelfawr/values-test.yaml"
SCOPES = {"knownScopes": {"exec:portal": "Use the Portal"}, "groupMapping": {"exec:portal": ["users"]}}
LDAP = {"ldap": {"url": "ldaps://ldap.example.org", "groupBaseDn": "dc=a", "userBaseDn": "dc=b"}}
OIDC = {"oidc": {"clientId": "id", "loginUrl": "https://a", "tokenUrl": "https://b", "issuer": "https://c"}}
GITHUB = {"github": {"clientId": "id"}}
CILOGON = {"cilogon": {"clientId": "cilogon:/client_id/1"}}


def gafaelfawr(*sections: dict[str, Any]) -> Application:
    config: dict[str, Any] = SCOPES
    for section in sections:
        config = merge(config, section)
    return Application(name="gafaelfawr", values={"config": config}, files={FILE: {"config": config}})


@pytest.mark.parametrize("sections", [[GITHUB], [CILOGON, LDAP], [OIDC, LDAP]])
def test_one_complete_provider_is_accepted(sections: list[dict[str, Any]]) -> None:
    application = gafaelfawr(*sections)
    assert [*sign_in.contradictions(application), *sign_in.doubts(application)] == []
    assert sign_in.provider(application) == next(iter(sections[0]))


@pytest.mark.parametrize(
    ("sections", "expected"),
    [
        ([], "config: configures no sign-in, expected one of config.github.clientId, config.cilogon.clientId"),
        ([GITHUB, OIDC, LDAP], "config.oidc.clientId: is set, as is config.github.clientId, expected only one of"),
        ([GITHUB, LDAP], "config.ldap.url: is set, but users sign in with GitHub"),
        ([CILOGON], "config.ldap.url: is not set, expected the LDAP server"),
        ([OIDC, {"oidc": {"issuer": None}}, LDAP], "config.oidc.issuer: is not set, but Gafaelfawr requires it"),
        ([OIDC, LDAP, {"ldap": {"userBaseDn": ""}}], "config.ldap.userBaseDn: is not set"),
        ([GITHUB, {"groupMapping": {"exec:portl": []}}], "config.groupMapping[exec:portl]: is not one of config.known"),
    ],
)
def test_what_gafaelfawr_refuses_is_reported(sections: list[dict[str, Any]], expected: str) -> None:
    (problem,) = sign_in.contradictions(gafaelfawr(*sections))
    assert problem.startswith(f"{FILE}: {expected}")


def test_groups_of_another_provider_are_doubted() -> None:
    team = {"groupMapping": {"exec:portal": [{"github": {"organization": "rsp", "team": "users"}}]}}
    (problem,) = sign_in.doubts(gafaelfawr(OIDC, LDAP, team))
    assert problem == (
        f"{FILE}: config.groupMapping[exec:portal]: has a team of GitHub, but users sign in with OpenID Connect: "
        "expected names of groups in LDAP"
    )
    assert list(sign_in.doubts(gafaelfawr(GITHUB, team))) == []


def test_a_platform_without_groups_is_doubted() -> None:
    application = Application(name="gafaelfawr", values={"config": {**GITHUB, "groupMapping": {}}}, files={FILE: {}})
    (problem,) = sign_in.doubts(application)
    assert problem.startswith(f"{FILE}: config.groupMapping: is empty")


def test_callback_urls_are_those_of_gafaelfawr_and_argocd() -> None:
    settings = {"url": "https://rsp.example.org/argo-cd/", "dex.config": "connectors: []", "oidc.config": ""}
    argocd = Application(name="argocd", values={"argo-cd": {"configs": {"cm": settings}}})
    environment = Environment.model_validate(SETTINGS)
    assert list(sign_in.callbacks(environment, {"gafaelfawr": gafaelfawr(CILOGON, LDAP), "argocd": argocd})) == [
        (
            "sign-in: CILogon, client ID cilogon:/client_id/1, callback URL https://rsp.example.org/login, secret "
            "gafaelfawr/cilogon-client-secret"
        ),
        (
            "sign-in to Argo CD: dex.config, callback URL https://rsp.example.org/argo-cd/api/dex/callback, secret "
            "argocd/dex.clientSecret"
        ),
    ]
    assert list(sign_in.callbacks(environment, {})) == []
