"""Each resource option has Pulumi's meaning; one that the engine does not know is an error."""

from typing import Any

import pulumi
import pytest

from sandbox.engine.errors import ResourceError
from sandbox.engine.options import seconds
from sandbox.engine.values import Secret
from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Thing


def options(**given: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(**given)


def test_protected_resource_is_neither_removed_nor_replaced(stack: Stack) -> None:
    stack.up(lambda: Thing("a", zone="north", opts=options(protect=True)))
    stack.journal()
    report = stack.up(lambda: Thing("a", zone="south", opts=options(protect=True)))
    assert "it has to be replaced (zone) but is protected" in report.errors[0]
    report = stack.up(lambda: None)
    assert "no longer part of the program but protected" in report.errors[0]
    assert stack.journal() == []
    assert stack.up(lambda: Thing("a", zone="south")).counts["replace"] == 1


def test_retained_resource_is_forgotten_but_not_removed(stack: Stack) -> None:
    stack.up(lambda: Thing("a", opts=options(retain_on_delete=True)))
    assert stack.up(lambda: None).counts == {"retain": 1}
    assert stack.journal() == ["create a"]
    assert stack.names() == set()
    assert len(stack.service.things) == 1


def test_ignored_changes_keep_what_is_recorded(stack: Stack) -> None:
    def program(**inputs: Any) -> None:
        Thing("a", opts=options(ignore_changes=["size", "color.shade", "links[0]"]), **inputs)

    stack.up(lambda: program(size=1, color={"shade": "dark", "name": "red"}, links=["x", "y"]))
    report = stack.up(lambda: program(color={"shade": "light", "name": "red"}, links=["z", "y"]))
    assert report.counts == {"same": 1}
    report = stack.up(lambda: program(size=5, color={"shade": "light", "name": "blue"}, links=["z", "y"]))
    assert [(str(change), change.new) for change in report.steps[0].changes] == [("color.name", "blue")]
    assert stack.recorded("a").inputs["color"] == {"shade": "dark", "name": "blue"}


def test_replacement_takes_the_ignored_values_of_the_program(stack: Stack) -> None:
    def program(size: int, zone: str) -> None:
        Thing("a", size=size, zone=zone, opts=options(ignore_changes=["size"]))

    stack.up(lambda: program(1, "north"))
    stack.up(lambda: program(2, "south"))
    assert stack.recorded("a").inputs["size"] == 2


def test_replacement_trigger(stack: Stack) -> None:
    def program(trigger: str | None) -> None:
        Thing("a", opts=options(replacement_trigger=trigger))

    stack.up(lambda: program(None))
    assert stack.up(lambda: program("one")).counts == {"same": 1}, "no trigger before asks for nothing"
    assert stack.up(lambda: program("one")).counts == {"same": 1}
    assert stack.up(lambda: program("two")).counts["replace"] == 1


def test_stash_keeps_its_first_value_until_it_is_rotated(stack: Stack) -> None:
    values = iter(["first", "second", "third", "fourth", "fifth", "sixth"])

    def program(rotation: str) -> None:
        stash = pulumi.Stash(
            "secret",
            input=pulumi.Output.secret(next(values)),
            opts=options(ignore_changes=["input"], replacement_trigger=rotation),
        )
        pulumi.export("value", stash.output)

    stack.up(lambda: program("a"))
    kept = stack.outputs()["value"]
    assert isinstance(kept, Secret)
    assert stack.up(lambda: program("a")).counts == {"same": 1}
    assert stack.outputs()["value"] == kept
    stack.up(lambda: program("b"))
    assert stack.outputs()["value"] not in {kept, Secret("third")}


def test_replace_on_changes(stack: Stack) -> None:
    def program(**inputs: Any) -> None:
        Thing("a", opts=options(replace_on_changes=["color.*"]), **inputs)

    stack.up(lambda: program(size=1, color={"shade": "dark"}))
    assert stack.up(lambda: program(size=2, color={"shade": "dark"})).counts == {"update": 1}
    assert stack.up(lambda: program(size=2, color={"shade": "light"})).counts["replace"] == 1


def test_delete_before_replace(stack: Stack) -> None:
    def program(zone: str) -> None:
        Thing("a", zone=zone, opts=options(delete_before_replace=True))

    stack.up(lambda: program("north"))
    stack.journal()
    stack.up(lambda: program("south"))
    assert stack.journal() == ["delete a", "create a"]


def test_protected_dependant_stops_a_removal_before_replacement(stack: Stack) -> None:
    def program(zone: str) -> None:
        root = Thing("root", zone=zone, opts=options(delete_before_replace=True))
        Thing("tied", parent=root.id, opts=options(protect=True))

    stack.up(lambda: program("north"))
    stack.journal()
    report = stack.up(lambda: program("south"))
    assert "with it tied, which is protected" in report.errors[0]
    assert stack.journal() == []


def test_deleted_with_spares_the_call(stack: Stack) -> None:
    def program() -> None:
        box = Thing("box")
        Thing("content", opts=options(deleted_with=box))

    stack.up(program)
    stack.journal()
    stack.up(lambda: None)
    assert stack.journal() == ["delete box"]
    assert stack.names() == set()


def test_alias_finds_a_renamed_resource(stack: Stack) -> None:
    stack.up(lambda: Thing("old"))
    stack.journal()
    report = stack.up(lambda: Thing("new", opts=options(aliases=[pulumi.Alias(name="old")])))
    assert stack.journal() == ["update new label"]
    assert report.counts == {"update": 1}
    assert stack.names() == {"new"}


def test_alias_of_a_parent_reaches_its_children(stack: Stack) -> None:
    class Group(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None) -> None:
            super().__init__("demo:index:Group", name, None, opts)
            Thing(f"{name}-child", label="constant", opts=options(parent=self))

    stack.up(lambda: Group("before"))
    report = stack.up(lambda: Group("after", options(aliases=[pulumi.Alias(name="before")])))
    assert report.counts == {"same": 1}
    assert stack.names() == {"after-child"}
    assert stack.recorded("after-child").parent == stack.recorded("after").urn


def test_import_adopts_what_is_there(stack: Stack) -> None:
    identifier = stack.service.make({"label": "a", "name": "mine", "size": 4})
    report = stack.up(lambda: Thing("a", name="mine", size=5, opts=options(import_=identifier)))
    assert "differs in size" in report.errors[0]
    report = stack.up(lambda: Thing("a", name="mine", size=4, opts=options(import_=identifier)))
    assert report.counts == {"import": 1}
    assert stack.recorded("a").id == identifier
    assert stack.journal() == []
    assert "there is no" in stack.up(lambda: Thing("b", opts=options(import_="nowhere"))).errors[0]


def test_additional_secret_outputs_are_sealed(stack: Stack) -> None:
    stack.up(lambda: Thing("a", opts=options(additional_secret_outputs=["address"])))
    assert stack.recorded("a").outputs["address"] == Secret("address-of-a")


def test_custom_timeouts_are_kept(stack: Stack) -> None:
    timeouts = pulumi.CustomTimeouts(create="1h30m", delete="45s")
    stack.up(lambda: Thing("a", opts=options(custom_timeouts=timeouts)))
    assert stack.recorded("a").timeouts == {"create": 5400, "delete": 45}
    with pytest.raises(ResourceError, match="is no duration"):
        seconds("soon")


@pytest.mark.parametrize(
    "given",
    [{"hide_diffs": ["size"]}, {"env_var_mappings": {"A": "B"}}],
    ids=["hide_diffs", "env_var_mappings"],
)
def test_unknown_option_is_an_error_before_anything_is_made(stack: Stack, given: dict[str, Any]) -> None:
    report = stack.up(lambda: (Thing("fine"), Thing("a", opts=options(**given)))[0])
    assert f"does not know the option(s) {next(iter(given))}" in report.errors[0]
    assert stack.journal() == []


def test_options_that_the_sdk_asks_for_first_are_refused(stack: Stack) -> None:
    def program() -> None:
        Thing("a", opts=options(transforms=[lambda _args: None]))

    with pytest.raises(Exception, match="does not support transforms"):
        stack.up(program)


def test_same_urn_twice_is_an_error(stack: Stack) -> None:
    def program() -> None:
        Thing("a")
        Thing("a")

    with pytest.raises(ResourceError, match="two resources have the URN"):
        stack.up(program)
    assert stack.journal() == []
