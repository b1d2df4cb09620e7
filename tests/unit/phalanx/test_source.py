"""All that the program reads from a Phalanx repository, with Git and Helm."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from phalanx import cache, source
from phalanx.application import Application
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from phalanx.secrets import SecretKey
from phalanx.source import PhalanxSource
from tests.unit.phalanx import phalanx_git
from tests.unit.phalanx.repository import copied, static


@pytest.fixture(autouse=True)
def _isolated(tmp_path: Path, helm: str, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001 - needed on PATH
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return phalanx_git.create(tmp_path / "phalanx")


def no_requirements(_environment: Environment, _applications: Mapping[str, Application]) -> list[str]:
    return []


def load(root: Path, **revisions: str) -> PhalanxSource:
    tree, found = source.locate(f"file://{root}", "main", "test")
    return source.load(tree, found, {}, no_requirements, revisions=revisions)


def problems(root: Path) -> list[str]:
    with pytest.raises(PhalanxError) as caught:
        load(root)
    assert str(cache.directory()) not in str(caught.value)
    return list(caught.value.problems)


def settings(root: Path, **changes: Any) -> None:
    phalanx_git.commit(root, {"environments/values-test.yaml": {"name": "test", **changes}})


def test_applications_are_at_the_commit(root: Path) -> None:
    commit = phalanx_git.git(root, "rev-parse", "HEAD")
    applications = load(root).manifests.applications
    assert {each["spec"]["source"]["targetRevision"] for each in applications.values()} == {commit}


def test_an_application_of_another_revision_is_read_from_there(root: Path) -> None:
    phalanx_git.git(root, "switch", "--quiet", "--create", "tickets/DM-1")
    changed = {
        "applications/tap/values.yaml": {"key": "branch"},
        "applications/tap/secrets.yaml": {"declared-on-branch": static()},
    }
    commit = phalanx_git.commit(root, changed)
    phalanx_git.git(root, "switch", "--quiet", "main")
    settings(root, revisions={"tap": "tickets/DM-1", "argocd": "tickets/DM-1"})
    found = load(root)
    assert found.values("tap") == {"key": "branch"}
    assert set(found.secrets) == {SecretKey("tap", "declared-on-branch")}
    assert set(found.undeclared) == {SecretKey("tap", "branch")}
    revisions = {name: each["spec"]["source"]["targetRevision"] for name, each in found.manifests.applications.items()}
    assert (revisions["tap"], revisions["mobu"]) == (commit, found.checkout.commit)
    assert (Path(found.charts["argocd"].path) / "../tap/values.yaml").read_text() == "key: branch\n"
    assert found.charts["vault-secrets-operator"].path == ".phalanx/test/applications/vault-secrets-operator"
    assert found.checkout_of("tap").revision == "tickets/DM-1"
    assert found.checkout_of("mobu") is found.checkout


def test_a_configured_revision_has_precedence_over_that_of_the_environment(root: Path) -> None:
    phalanx_git.git(root, "branch", "tickets/DM-1")
    before = phalanx_git.git(root, "rev-parse", "HEAD")
    phalanx_git.commit(root, {"applications/tap/values.yaml": {"key": "new"}})
    settings(root, revisions={"tap": "tickets/DM-1"})
    found = load(root, tap=phalanx_git.git(root, "rev-parse", "HEAD"), unknown="main")
    assert found.values("tap") == {"key": "new"}
    assert load(root, tap=before).values("tap") == {"key": "main"}


def test_a_configured_revision_needs_no_support_by_the_templates(root: Path) -> None:
    before = phalanx_git.git(root, "rev-parse", "HEAD")
    phalanx_git.commit(root, {"environments/templates/tap.yaml": phalanx_git.application("tap", revisions=False)})
    assert load(root, tap=before).checkout_of("tap").commit == before


def test_a_configured_revision_that_does_not_exist_is_reported_with_its_key(root: Path) -> None:
    with pytest.raises(PhalanxError, match=r"^rsp:applications\.overrides\.tap\.revision: file://.* has no branch"):
        load(root, tap="nowhere")


def test_a_revision_that_does_not_exist_is_reported_with_its_file(root: Path) -> None:
    settings(root, revisions={"tap": "nowhere", "mobu": "0" * 40})
    commit, branch = problems(root)
    assert commit.startswith("environments/values-test.yaml: revisions.mobu: commit 000")
    assert branch.startswith("environments/values-test.yaml: revisions.tap: file://")
    assert "has no branch or tag 'nowhere'" in branch


def test_a_revision_that_phalanx_ignores_is_reported(root: Path) -> None:
    phalanx_git.git(root, "branch", "tickets/DM-1")
    phalanx_git.commit(root, {"environments/templates/tap.yaml": phalanx_git.application("tap", revisions=False)})
    settings(root, revisions={"tap": "tickets/DM-1"})
    (problem,) = problems(root)
    assert problem.startswith("environments/values-test.yaml: revisions.tap: 'tickets/DM-1' has no effect: ")


@pytest.mark.parametrize("name", ["argocd", "vault-secrets-operator"])
def test_an_application_that_the_program_installs_must_be_enabled(root: Path, name: str) -> None:
    settings(root, applications={name: False})
    (problem,) = problems(root)
    assert problem.startswith(
        f"environments/values-test.yaml: applications.{name}: is false or missing, expected true: this program "
    )


def test_an_enabled_application_must_be_rendered(root: Path) -> None:
    phalanx_git.commit(root, {"environments/templates/tap.yaml": ""})
    (problem,) = problems(root)
    assert problem == (
        "environments/values-test.yaml: applications.tap: is true, but no file in environments/templates renders an "
        "Application tap"
    )


def test_problems_of_different_kinds_are_reported_together(root: Path) -> None:
    phalanx_git.commit(
        root,
        {
            "applications/mobu/values.yaml": "- a\n",
            "applications/mobu/secrets.yaml": {"a": {}},
            "applications/tap/values-test.yaml": "a: 1\na: 2\n",
        },
    )
    settings(root, applications={"argocd": False}, revisions={"tap": "nowhere"})
    found = problems(root)
    assert [problem.partition(": ")[0] for problem in found] == [
        "environments/values-test.yaml",
        "environments/values-test.yaml",
        "applications/mobu/values.yaml",
        "applications/mobu/secrets.yaml",
        "applications/tap/values-test.yaml:2",
    ]


def test_requirements_and_missing_sources_of_secrets_are_reported_together(root: Path) -> None:
    phalanx_git.commit(root, {"applications/mobu/secrets.yaml": {"a": copied("sia", "b")}})
    tree, found = source.locate(f"file://{root}", "main", "test")
    with pytest.raises(PhalanxError) as caught:
        source.load(tree, found, {}, lambda *_: ["a requirement"])
    assert caught.value.problems[0] == "a requirement"
    assert caught.value.problems[1].startswith("applications/mobu/secrets.yaml: a: is copied from sia/b, but")


def test_charts_that_cannot_be_rendered_are_reported_together(root: Path) -> None:
    bad = {f"applications/{name}/templates/bad.yaml": '{{ fail "no" }}' for name in ("mobu", "tap")}
    phalanx_git.commit(root, bad)
    assert sorted(problem.partition(":")[0] for problem in problems(root)) == ["applications/mobu", "applications/tap"]


def test_values_files_of_the_applications_must_exist(root: Path) -> None:
    (root / "applications/mobu/values-test.yaml").unlink()
    phalanx_git.commit(root, {})
    (problem,) = problems(root)
    assert problem == (
        "applications/mobu/values-test.yaml: does not exist, but the Application mobu reads it, so Argo CD cannot "
        "deploy it: create the file; it may be empty"
    )


def test_the_internal_database_needs_postgres(root: Path) -> None:
    config = {"internalDatabase": True, "github": {"clientId": "id"}}
    files = {"applications/gafaelfawr/values.yaml": {"config": config}}
    phalanx_git.commit(root, files | {"applications/gafaelfawr/Chart.yaml": phalanx_git.CHART})
    settings(root, applications={"gafaelfawr": True})
    assert problems(root) == [
        (
            "environments/values-test.yaml: applications.postgres: is false or missing, expected true: "
            "config.internalDatabase is true in applications/gafaelfawr/values.yaml"
        )
    ]


def test_custom_resources_of_disabled_applications_are_reported(root: Path) -> None:
    resource = "apiVersion: keda.sh/v1alpha1\nkind: ScaledJob\nmetadata: {name: jobs}\n"
    phalanx_git.commit(root, {"applications/mobu/templates/jobs.yaml": resource})
    (problem,) = problems(root)
    assert problem.startswith("environments/values-test.yaml: applications.keda: is false or missing, expected true")


def test_values_without_effect_are_warnings(root: Path) -> None:
    phalanx_git.commit(root, {"applications/tap/values-test.yaml": {"kye": "main"}})
    (warning,) = load(root).warnings
    assert warning.startswith("applications/tap/values-test.yaml: kye: has no effect")
    assert warning.endswith("did you mean key?")
