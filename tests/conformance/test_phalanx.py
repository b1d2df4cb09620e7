"""Secrets of real environments are planned as by Phalanx's own code."""

import json
from pathlib import Path
from typing import Any

import pytest

from phalanx import application, environment, secrets
from phalanx.secrets import Copied, Generated, Literal, Origin, Static, Wired

DATA = Path(__file__).parent / "data"

EXPECTED: dict[tuple[str, str], dict[str, dict[str, Any]]] = {
    (repository, name): answer
    for repository in ("upstream", "lsst-uk")
    for name, answer in json.loads((DATA / repository / "expected-secrets.json").read_text()).items()
}


def expected_form(origin: Origin) -> dict[str, str]:
    """Return an origin in the format of the expected results."""
    match origin:
        case Literal(value):
            return {"value": value}
        case Copied(source):
            return {"copy": str(source)}
        case Generated(type=generator, source=source):
            return {"generate": generator.value} | ({"source": source.key} if source else {})
        case Static() | Wired():
            return {}


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_secrets_have_the_same_origins_as_in_phalanx(repository: str, name: str) -> None:
    applications = application.load_enabled(DATA / repository, environment.load(DATA / repository, name))
    plan = secrets.resolve(applications)
    answer = {
        app: {key: expected_form(secret.origin) for key, secret in found.items()}
        for app, found in plan.by_application().items()
    }
    assert answer == EXPECTED[repository, name]


@pytest.mark.parametrize("repository", ["upstream", "lsst-uk"])
def test_all_definitions_of_phalanx_are_valid(repository: str) -> None:
    directories = sorted((DATA / repository / "applications").iterdir())
    found = [
        application.load(DATA / repository, override.stem.removeprefix("secrets-"), directory.name)
        for directory in directories
        for override in (directory / "secrets.yaml", *directory.glob("secrets-*.yaml"))
    ]
    assert sum(len(one.secrets) for one in found) > 150
    assert {directory.name for directory in directories} == {one.name for one in found}


def test_names_in_vault_are_those_of_the_environments() -> None:
    ukidacdev = environment.load(DATA / "upstream", "ukidacdev")
    assert (ukidacdev.vault_mount, ukidacdev.vault_path) == ("secret", "phalanx/ukidacdev")
    assert ukidacdev.vault_role == "ukidacdev"
    assert ukidacdev.vault_read_policy == "phalanx/ukidacdev/read"
    roe = environment.load(DATA / "lsst-uk", "roe")
    assert (roe.vault_mount, roe.vault_path, roe.vault_role) == ("kv-v2", "k8s_operator/roe", "roe")


def test_default_applications_are_enabled() -> None:
    always = {"argocd", "cert-manager", "gafaelfawr", "ingress-nginx", "repertoire", "vault-secrets-operator"}
    enabled = set(environment.load(DATA / "upstream", "ukidacdev").enabled_applications)
    assert enabled - always == {"mobu", "nublado", "portal", "postgres", "squareone", "ssotap", "tap"}
    assert always <= enabled
