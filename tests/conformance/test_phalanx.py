"""Secrets of real environments are planned as by Phalanx's own code."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from phalanx import (
    application,
    databases,
    documents,
    environment,
    environment_schema,
    labs,
    lint,
    secrets,
    sign_in,
)
from phalanx.errors import PhalanxError
from phalanx.secrets import Copied, Generated, Literal, Origin, Static, Wired
from tests.unit.sample import environment as stack_config
from wiring import requirements

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
            return {"generate": generator.value} | ({"source": source.name} if source else {})
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


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_environments_of_phalanx_have_no_problems(repository: str, name: str) -> None:
    root = DATA / repository
    found = environment.load(root, name)
    applications = application.load_enabled(root, found)
    volumes = {export: {"size": 1, "type": "ceph-hdd"} for export in ("data", "datasets", "jhome")}
    assert requirements.checker(stack_config(nfs__volumes=volumes))(found, applications) == []
    assert {"argocd", "vault-secrets-operator"} <= set(found.enabled_applications)


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_only_settings_without_the_intended_effect_are_reported(repository: str, name: str) -> None:
    root = DATA / repository
    found = environment.load(root, name)
    problems = lint.check(root, found, application.load_enabled(root, found))
    wrong = (
        # Two Pods of the Portal that do not share their work area.
        "portal/values-{}.yaml: replicaCount: is 2, expected 1",
        "ingress-nginx/values-{}.yaml: ingress-nginx.controller.config.enable-health-monitor: has no effect",
    )
    expected = [] if name == "minikube" else [f"applications/{each.format(name)}" for each in wrong]
    assert [re.split(", as| as long", problem)[0] for problem in problems] == expected


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_the_callback_url_of_the_sign_in_is_known(repository: str, name: str) -> None:
    found = environment.load(DATA / repository, name)
    applications = application.load_enabled(DATA / repository, found)
    assert list(sign_in.contradictions(applications["gafaelfawr"])) == []
    (line,) = sign_in.callbacks(found, applications)
    assert line.startswith("sign-in: GitHub, client ID ")
    assert line.endswith(f", callback URL https://{found.fqdn}/login, secret gafaelfawr/github-client-secret")


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_external_databases_are_found(repository: str, name: str) -> None:
    root = DATA / repository
    found = databases.external(root, application.load_enabled(root, environment.load(root, name)))
    expected = {} if name == "minikube" else {"192.41.122.118:5432": ("ssotap",), "192.41.122.85:30040": ("tap",)}
    assert {each.address: each.applications for each in found} == expected


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_labs_of_phalanx_are_consistent(repository: str, name: str) -> None:
    root = DATA / repository
    applications = application.load_enabled(root, environment.load(root, name))
    if nublado := applications.get("nublado"):
        assert [*labs.contradictions(nublado), *labs.doubts(nublado)] == []


def test_settings_have_the_names_of_phalanxs_schema() -> None:
    # The schema of lsst-uk is older.
    schema = json.loads((DATA / "upstream" / "environment-schema.json").read_text())
    own = environment_schema.EnvironmentConfig.model_json_schema()
    assert own["properties"].keys() == schema["properties"].keys() == environment_schema.SETTINGS
    for name, model in schema["$defs"].items():
        assert own["$defs"][{"GCPMetadata": "GcpMetadata"}.get(name, name)]["properties"].keys() == (
            model["properties"].keys()
        )
    older = json.loads((DATA / "lsst-uk" / "environment-schema.json").read_text())
    assert older["properties"].keys() <= environment_schema.SETTINGS


@pytest.mark.parametrize(("repository", "name"), EXPECTED)
def test_settings_that_phalanx_forbids_are_refused(repository: str, name: str, tmp_path: Path) -> None:
    root = Path(shutil.copytree(DATA / repository, tmp_path / "phalanx"))
    file = root / "environments" / f"values-{name}.yaml"
    file.write_text(file.read_text() + "vaultURL: https://vault.example.org\n")
    with pytest.raises(PhalanxError) as caught:
        environment.load(root, name)
    assert str(caught.value) == (
        f"environments/{file.name}: vaultURL: is not a setting of Phalanx; did you mean vaultUrl?"
    )


@pytest.mark.parametrize("repository", ["upstream", "lsst-uk"])
def test_all_values_of_phalanx_are_read(repository: str) -> None:
    files = sorted((DATA / repository).rglob("*.yaml"))
    assert len(files) > 50
    for path in files:
        documents.read_mapping(path, DATA / repository)
