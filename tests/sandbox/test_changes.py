"""An application is removed and added again; the stack is destroyed and made again. After each, nothing differs."""

from collections.abc import Iterator

import pytest

from tests.sandbox.branches import branch, replace
from tests.sandbox.configuration import vary
from tests.sandbox.objects import Objects
from tests.sandbox.program import Program

REMOVED = "squareone"


@pytest.fixture(scope="module")
def without_an_application(program: Program, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program with a branch of Phalanx on which one application is not enabled; `main` is deployed in the end."""
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


def test_a_disabled_application_is_removed_and_comes_back(
    program: Program, without_an_application: Program, objects: Objects
) -> None:
    before = applications(objects)
    without_an_application.run("up")
    assert applications(objects) == before - {REMOVED}
    assert_nothing_differs(without_an_application)
    program.run("up")
    assert applications(objects) == before
    assert_nothing_differs(program)


def test_a_destroyed_stack_comes_back(program: Program) -> None:
    kept = program.outputs()
    program.run("destroy")
    program.run("up")
    again = program.outputs()
    protected = ("clusterId", "ingressAddress", "vaultPath", "bucket")
    assert [again[name] for name in protected] == [kept[name] for name in protected]
    assert_nothing_differs(program)
