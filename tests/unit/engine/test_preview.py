"""A preview makes and writes nothing, leaves unknown what it cannot know, and tells every fault at once."""

import pulumi
import pytest

from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Provider, Thing


def test_makes_and_writes_nothing(stack: Stack) -> None:
    assert stack.preview(lambda: Thing("a")).counts == {"create": 1}
    assert stack.journal() == []
    assert not stack.file.exists()


def test_what_is_not_made_yet_is_unknown(stack: Stack) -> None:
    applied: list[str] = []

    def program() -> None:
        first = Thing("first", size=1)
        first.address.apply(applied.append)
        Thing("second", size=first.address, color={"of": first.id})
        pulumi.export("address", first.address)

    report = stack.preview(program)
    assert applied == []
    second = next(step for step in report.steps if step.urn.endswith("::second"))
    shown = {str(change): change.new for change in second.changes}
    assert shown["size"] == "[unknown]"
    assert shown["color"] == {"of": "[unknown]"}


def test_unchanged_outputs_are_known(stack: Stack) -> None:
    def program(size: int) -> None:
        first = Thing("first", size=size)
        Thing("second", size=first.address)

    stack.up(lambda: program(1))
    assert stack.preview(lambda: program(2)).counts == {"update": 1, "same": 1}


def test_replacement_makes_what_depends_on_it_unknown(stack: Stack) -> None:
    def program(zone: str) -> None:
        first = Thing("first", zone=zone)
        Thing("second", size=first.id)
        Thing("third", parent=first.id)

    stack.up(lambda: program("north"))
    report = stack.preview(lambda: program("south"))
    assert report.counts == {"update": 1, "replace": 2}


def test_tells_every_fault_before_anything_is_made(stack: Stack) -> None:
    class Stranger(pulumi.CustomResource):
        def __init__(self, name: str) -> None:
            super().__init__("fake:index:Stranger", name, {})

    class Foreign(pulumi.CustomResource):
        def __init__(self, name: str) -> None:
            super().__init__("aws:s3:Bucket", name, {})

    def program() -> None:
        Thing("fine")
        Stranger("stranger")
        Foreign("foreign")
        Thing("wrong", colour="red")

    report = stack.up(program)
    told = "\n".join(report.errors)
    assert "stranger (fake:index:Stranger): the sandbox's engine has no adapter for the type" in told
    assert "foreign (aws:s3:Bucket): no adapter serves the package 'aws'" in told
    assert "wrong (fake:index:Thing): the engine does not know the input `colour`" in told
    assert len(report.errors) == 3
    assert stack.journal() == []


def test_what_depends_on_a_fault_is_not_told_again(stack: Stack) -> None:
    def program() -> None:
        provider = Provider("p", nonsense=1)
        Thing("a", opts=pulumi.ResourceOptions(provider=provider))
        wrong = Thing("wrong", colour="red")
        Thing("b", size=wrong.id)

    report = stack.preview(program)
    assert len(report.errors) == 2


def test_shows_what_would_be_removed(stack: Stack) -> None:
    stack.up(lambda: (Thing("a"), Thing("b", opts=pulumi.ResourceOptions(retain_on_delete=True)))[0])
    report = stack.preview(lambda: None)
    assert report.counts == {"delete": 1, "retain": 1}
    assert stack.names() == {"a", "b"}


def test_unknown_function_is_a_clear_error(stack: Stack) -> None:
    def program() -> None:
        pulumi.export("nothing", pulumi.runtime.invoke("fake:index:getNothing", {}).value)

    with pytest.raises(Exception, match="does not know the function fake:index:getNothing"):
        stack.preview(program)
