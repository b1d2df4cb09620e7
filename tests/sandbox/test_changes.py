"""Remove and add an application, and destroy and create the stack; nothing differs after each."""

from collections.abc import Iterator

import pytest

from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

REMOVED = "portal"
"""An application without static secrets: the stack's file must not have a secret that no application reads."""


@pytest.fixture(scope="module")
def without_an_application(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """Yield the program with a Phalanx branch that disables one application; deploy `main` afterwards."""
    directory = tmp_path_factory.mktemp("phalanx")
    edit = replace("environments/values-sandbox.yaml", f"  {REMOVED}: true\n", "")
    with branch(directory, "smaller", edit, f"Disable {REMOVED}") as revision:
        yield Program("sandbox", vary(directory / "Pulumi.sandbox.yaml", {"phalanx": {"revision": revision}}))
    program.run("up")


def applications(objects: Objects) -> set[str]:
    return {each["metadata"]["name"] for each in objects.all("argoproj.io/v1alpha1", "Application", "argocd")}


def assert_nothing_differs(program: Program) -> None:
    assert program.changes("preview") == {}
    assert program.changes("refresh") == {}


def test_an_application_can_be_disabled_and_enabled(
    program: Program, without_an_application: Program, objects: Objects
) -> None:
    before = applications(objects)
    without_an_application.run("up")
    assert applications(objects) == before - {REMOVED}
    assert_nothing_differs(without_an_application)
    program.run("up")
    assert applications(objects) == before
    assert_nothing_differs(program)


def test_a_destroyed_stack_can_be_created_again(program: Program) -> None:
    before = program.outputs()
    program.run("destroy")
    program.run("up")
    after = program.outputs()
    protected = ("clusterId", "ingressAddress", "vaultPath", "bucket")
    assert [after[name] for name in protected] == [before[name] for name in protected]
    assert_nothing_differs(program)
