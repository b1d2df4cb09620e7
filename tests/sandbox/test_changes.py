"""Change, remove and add an application, and destroy and create the stack; nothing differs after each."""

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client

from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

CHANGED = "portal"
"""An application without static secrets: the stack's file must not have a secret that no application reads."""

UNAWAITED = "vo-cutouts"
"""Another one, which is not awaited where it declares a claim."""

DECLARED = "declared"
CLAIM = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}


@pytest.fixture(scope="module")
def without_applications(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield the program with a Phalanx branch that disables two applications; deploy `main` afterwards."""
    directory = tmp_path_factory.mktemp("phalanx")

    def edit(tree: Path) -> None:
        for name in (CHANGED, UNAWAITED):
            replace("environments/values-sandbox.yaml", f"  {name}: true\n", "")(tree)

    with branch(directory, "smaller", edit, "Disable applications") as revision:
        yield Program("sandbox", vary(directory / "Pulumi.sandbox.yaml", {"phalanx": {"revision": revision}}))
    program.run("up")


@pytest.fixture(scope="module")
def with_claims(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield the program with a Phalanx branch in which the charts of the applications declare a claim."""
    del program
    directory = tmp_path_factory.mktemp("phalanx")

    def edit(tree: Path) -> None:
        volume = {"name": DECLARED, "persistentVolumeClaim": {"claimName": DECLARED}}
        line = f"        - {json.dumps(volume)}\n"
        file, other = (
            f"applications/{CHANGED}/templates/statefulset.yaml",
            f"applications/{UNAWAITED}/templates/deployments.yaml",
        )
        replace(file, "      volumes:\n", f"      volumes:\n{line}")(tree)
        replace(other, "      containers:\n", f"      volumes:\n{line}      containers:\n")(tree)
        claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": DECLARED}, "spec": CLAIM}
        for each in (file, other):
            with (tree / each).open("a") as template:
                template.write(f"---\n{json.dumps(claim)}\n")

    with branch(directory, "claims", edit, "Declare claims") as revision:
        settings = {"phalanx": {"revision": revision}, "applications": {"overrides": {UNAWAITED: {"wait": False}}}}
        yield Program("sandbox", vary(directory / "Pulumi.sandbox.yaml", settings))


@pytest.fixture
def upgraded(program: Program, tmp_path: Path) -> Iterator[str]:
    """Yield a branch that changes one application, and files that no application is rendered from."""

    def edit(tree: Path) -> None:
        replace(f"applications/{CHANGED}/values.yaml", '"36h"', '"24h"')(tree)
        replace("README.md", "#", "##")(tree)

    with branch(tmp_path, "upgrade", edit, "Keep results for a day") as revision:
        yield revision
    program.run("up")


@pytest.fixture
def unknown(program: Program, kubernetes: client.ApiClient) -> Iterator[str]:
    """Yield the name of a claim in the application's namespace, which Argo CD does not know."""
    del program
    api, name = client.CoreV1Api(kubernetes), "unknown"
    claim: Any = {"metadata": {"name": name}, "spec": CLAIM}
    api.create_namespaced_persistent_volume_claim(CHANGED, claim)
    yield name
    for namespace, each in ((CHANGED, name), (CHANGED, DECLARED), (UNAWAITED, DECLARED)):
        with contextlib.suppress(client.ApiException):
            api.delete_namespaced_persistent_volume_claim(each, namespace)


def claims(objects: Objects) -> dict[tuple[str, str], str]:
    """Return the UIDs of the claims by namespace and name."""
    found = [each["metadata"] for each in objects.all("v1", "PersistentVolumeClaim")]
    return {(each["namespace"], each["name"]): each["uid"] for each in found}


def assert_nothing_differs(program: Program) -> None:
    assert program.changes("preview") == {}
    assert program.changes("refresh") == {}


def assert_only_the_application_changes(program: Program, message: str) -> None:
    output = program.run("preview", "--json")
    planned = [(step["op"], step["urn"].rpartition("::")[2]) for step in json.loads(output)["steps"]]
    assert [each for each in planned if each[0] != "same"] == [("update", f"cluster-applications-{CHANGED}")]
    assert message in output


def test_a_commit_changes_one_application_and_an_override_takes_it_back(
    upgraded: str, objects: Objects, tmp_path: Path
) -> None:
    before = objects.applications()
    at_branch: dict[str, Any] = {"phalanx": {"revision": upgraded}}
    upgrade = Program("sandbox", vary(tmp_path / "upgrade.yaml", at_branch))
    assert_only_the_application_changes(upgrade, "Keep results for a day")
    upgrade.run("up")
    after = objects.applications()
    assert {name for name in after if after[name]["spec"] != before[name]["spec"]} == {CHANGED}
    assert after[CHANGED]["status"]["sync"]["revision"] == upgrade.outputs()["checkoutCommit"]

    pinned = {**at_branch, "applications": {"overrides": {CHANGED: {"revision": "main"}}}}
    rollback = Program("sandbox", vary(tmp_path / "rollback.yaml", pinned))
    assert_only_the_application_changes(rollback, "Keep results for a day")
    rollback.run("up")
    assert objects.applications()[CHANGED]["spec"] == before[CHANGED]["spec"]
    assert_nothing_differs(rollback)


def test_applications_can_be_disabled_and_enabled_and_their_claims_remain(
    program: Program, without_applications: Program, with_claims: Program, objects: Objects, unknown: str
) -> None:
    assert "no such PersistentVolumeClaim" not in with_claims.run("up")
    before = objects.applications()
    wanted = {(CHANGED, unknown), (CHANGED, DECLARED), (UNAWAITED, DECLARED)}
    kept = {name: uid for name, uid in claims(objects).items() if name in wanted}
    assert kept.keys() == wanted
    assert_nothing_differs(with_claims)

    without_applications.run("up")
    assert objects.applications().keys() == before.keys() - {CHANGED, UNAWAITED}
    assert claims(objects).items() >= kept.items()
    assert_nothing_differs(without_applications)

    # Their charts no longer declare the claims, which are then to be pruned.
    program.run("up")
    assert objects.applications().keys() == before.keys()
    assert claims(objects).items() >= kept.items()
    assert_nothing_differs(program)


def test_a_destroyed_stack_can_be_created_again(program: Program) -> None:
    before = program.outputs()
    program.run("destroy")
    program.run("up")
    after = program.outputs()
    protected = ("clusterId", "ingressAddress", "vaultPath", "bucket")
    assert [after[name] for name in protected] == [before[name] for name in protected]
    assert_nothing_differs(program)
