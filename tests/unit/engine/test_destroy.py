"""Destruction takes all that it may, dependants first, and says what it leaves and why."""

from typing import Any

import pulumi
import pytest

from sandbox.engine.adapters.base import Operation, Update
from sandbox.engine.errors import ResourceError
from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Provider, Service, Thing, ThingAdapter


def options(**given: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(**given)


def test_leaves_the_protected_and_what_they_need(stack: Stack) -> None:
    def program() -> None:
        provider = Provider("p")
        here = {"provider": provider}
        base = Thing("base", opts=options(**here))
        Thing("volume", size=base.id, opts=options(protect=True, **here))
        Thing("user", size=base.id, opts=options(**here))
        Thing("data", opts=options(retain_on_delete=True, **here))

    stack.up(program)
    stack.journal()
    done = stack.destroy()
    assert stack.journal() == ["delete user"]
    reasons = {kept.resource.name: kept.reason for kept in done.kept}
    assert reasons.keys() == {"volume", "base", "p", "demo-test"}
    assert reasons["volume"] == "protected"
    assert reasons["base"] == "needed by volume"
    assert [each.name for each in done.retained] == ["data"]
    assert done.report.errors == []
    assert stack.names() == {"volume", "base", "p"}


def test_removes_everything_in_reverse_order(stack: Stack) -> None:
    def program() -> None:
        a = Thing("a")
        b = Thing("b", size=a.id)
        Thing("c", opts=options(depends_on=[b]))

    stack.up(program)
    stack.journal()
    assert stack.destroy().kept == []
    assert stack.journal() == ["delete c", "delete b", "delete a"]
    assert stack.destroy().report.counts == {}


def test_failure_holds_what_the_resource_needs_and_nothing_else(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    def program() -> None:
        a = Thing("a")
        Thing("b", size=a.id)
        Thing("c")

    delete = ThingAdapter.delete

    def refuse_b(self: ThingAdapter, client: Service, identifier: str, change: Update, operation: Operation) -> None:
        if change.old["label"] == "b":
            raise ResourceError("b is busy")
        delete(self, client, identifier, change, operation)

    stack.up(program)
    stack.journal()
    monkeypatch.setattr(ThingAdapter, "delete", refuse_b)
    done = stack.destroy()
    assert done.report.errors == ["fake:Thing b: b is busy"]
    assert stack.names() == {"a", "b"}
    monkeypatch.setattr(ThingAdapter, "delete", delete)
    stack.destroy()
    assert stack.names() == set()
