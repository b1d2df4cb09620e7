"""The schema of an application's database is created by its first installation, and by no later run."""

from pathlib import Path
from typing import Any

import pytest

from tests.unit import recording
from tests.unit.program.conftest import StackRunner
from tests.unit.program.test_graph import application, conditions, values_of
from tests.unit.program.test_wiring_verification import VERIFY, repository
from tests.unit.recording import UNKNOWN, Recording

__all__ = ["repository"]

CLUSTER = "cluster-cluster-id"
"""ID of the cluster, as the recording monitor creates it."""


def outputs(cluster: str, *applications: str) -> dict[str, Any]:
    return {"clusters": {"cluster": {"id": cluster, "installed": [*applications]}}, "vaultWriteToken": "planted"}


def update_schema(found: Recording) -> Any:
    return values_of(found, "gafaelfawr")["config"]["updateSchema"]


@pytest.mark.parametrize("preview", [True, False])
def test_the_first_installation_creates_the_schema(run_stack: StackRunner, preview: bool) -> None:
    assert update_schema(run_stack("roe", preview=preview)) is True


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        (outputs(CLUSTER, "gafaelfawr", "tap"), False),
        (outputs(CLUSTER, "tap"), True),
        (outputs("a-lost-cluster", "gafaelfawr"), True),
    ],
    ids=["deployed before", "enabled later", "deployed to another cluster"],
)
def test_the_schema_is_created_once_in_each_cluster(run_stack: StackRunner, last: Any, expected: bool) -> None:
    assert update_schema(run_stack("roe", outputs=last)) is expected


def test_an_application_that_was_not_awaited_may_not_be_installed(run_stack: StackRunner) -> None:
    unawaited = {"applications": {"overrides": {"gafaelfawr": {"wait": False}}}}
    last = outputs(CLUSTER, "tap")
    first = run_stack("roe", changes=unawaited, outputs=last)
    assert update_schema(first) is True
    assert "gafaelfawr" not in first.exports["clusters"]["cluster"]["installed"]
    # What was healthy once remains so.
    last["clusters"]["cluster"]["installed"] += ["gafaelfawr"]
    later = run_stack("roe", changes=unawaited, outputs=last)
    assert update_schema(later) is False
    assert "gafaelfawr" in later.exports["clusters"]["cluster"]["installed"]


def test_an_application_that_was_disabled_is_installed_anew(run_stack: StackRunner) -> None:
    last = outputs(CLUSTER, "gafaelfawr", "tap", "disabled")
    assert "disabled" not in run_stack("roe", outputs=last).exports["clusters"]["cluster"]["installed"]


def test_a_preview_that_replaces_the_cluster_does_not_know_yet(run_stack: StackRunner) -> None:
    assert update_schema(run_stack("roe", preview=True, outputs=outputs(CLUSTER, "gafaelfawr"))) == UNKNOWN


def test_the_end_of_the_first_installation_changes_nothing_else(run_stack: StackRunner) -> None:
    first, second = run_stack("roe"), run_stack("roe", outputs=outputs(CLUSTER, "gafaelfawr"))
    inputs = {each.name: each.inputs for each in second.of("Application")}
    changed = [each.name for each in first.of("Application") if each.inputs != inputs[each.name]]
    assert changed == ["cluster-applications-gafaelfawr"]
    # Argo CD must have compared the new values.
    assert conditions(first, "gafaelfawr") != conditions(second, "gafaelfawr")


def test_a_run_in_which_an_application_fails_has_deployed_nothing(
    run_stack: StackRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monitor = vars(recording)["_Monitor"]
    register = monitor.RegisterResource

    def refuse(self: Any, request: Any) -> Any:
        if request.name == "cluster-applications-gafaelfawr":
            raise RuntimeError("not healthy")
        return register(self, request)

    monkeypatch.setattr(monitor, "RegisterResource", refuse)
    found = Recording()
    with pytest.raises(RuntimeError, match="not healthy"):
        run_stack("roe", recording=found)
    assert found.exports == {}


@pytest.mark.parametrize("last", [{}, outputs(CLUSTER, "gafaelfawr")], ids=["first", "later"])
def test_a_migration_that_the_repository_asks_for_is_left_to_it(run_stack: StackRunner, last: Any) -> None:
    gafaelfawr = application(run_stack("ukidacprod", outputs=last), "gafaelfawr")
    assert "valuesObject" not in gafaelfawr["spec"]["source"]["helm"]


def test_a_repository_with_all_values_must_have_this_one_too(run_stack: StackRunner, repository: Path) -> None:
    first = run_stack("ukidacprod", changes=VERIFY, root=repository)
    (message,) = (text for _, text in first.logged if "updateSchema" in text)
    assert message == (
        "applications/gafaelfawr/values-ukidacprod.yaml: config.updateSchema: is false, but the first installation of "
        "gafaelfawr creates the schema of its database, expected true: set it, as rsp:applications.wiring is verify, "
        "and remove it when the application is healthy"
    )
    later = run_stack("ukidacprod", changes=VERIFY, root=repository, outputs=outputs(CLUSTER, "gafaelfawr"))
    assert not [text for _, text in later.logged if "updateSchema" in text]
