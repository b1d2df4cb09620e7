"""The life of resources: made, compared, changed, replaced, removed, in the order that Pulumi gives them."""

from typing import Any

import pulumi
import pytest

from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Provider, Thing


def options(**given: Any) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(**given)


def chain() -> None:
    first = Thing("first")
    second = Thing("second", size=first.address)
    Thing("third", opts=options(depends_on=[second]))


def test_makes_each_resource_after_what_it_needs(stack: Stack) -> None:
    report = stack.up(chain)
    assert stack.journal() == ["create first", "create second", "create third"]
    assert report.counts == {"create": 3}
    assert stack.recorded("second").inputs["size"] == "address-of-first"


def test_second_run_changes_nothing(stack: Stack) -> None:
    stack.up(chain)
    before = stack.file.read_text()
    report = stack.up(chain)
    assert stack.journal() == ["create first", "create second", "create third"]
    assert report.counts == {"same": 3}
    assert stack.file.read_text() == before


def test_changed_input_updates_in_place(stack: Stack) -> None:
    stack.up(lambda: Thing("a", size=1))
    stack.journal()
    report = stack.up(lambda: Thing("a", size=2))
    assert stack.journal() == ["update a size"]
    assert report.counts == {"update": 1}
    assert [(str(c), c.old, c.new) for c in report.steps[0].changes] == [("size", 1, 2)]


def test_fixed_input_replaces_new_before_old_goes(stack: Stack) -> None:
    def program(zone: str) -> None:
        thing = Thing("a", zone=zone)
        Thing("b", size=thing.id)

    stack.up(lambda: program("north"))
    stack.journal()
    report = stack.up(lambda: program("south"))
    assert stack.journal() == ["create a", "update b size", "delete a"]
    assert report.counts == {"update": 1, "replace": 1}
    assert len(stack.service.things) == 2


def test_given_name_replaces_old_before_new_comes(stack: Stack) -> None:
    stack.up(lambda: Thing("a", name="fixed", zone="north"))
    stack.journal()
    stack.up(lambda: Thing("a", name="fixed", zone="south"))
    assert stack.journal() == ["delete a", "create a"]


def test_dependants_that_cannot_outlive_a_removal_go_first(stack: Stack) -> None:
    def program(zone: str) -> None:
        root = Thing("root", name="fixed", zone=zone)
        Thing("tied", parent=root.id)
        Thing("loose", size=root.id)

    stack.up(lambda: program("north"))
    stack.journal()
    stack.up(lambda: program("south"))
    done = stack.journal()
    assert done[:3] == ["delete tied", "delete root", "create root"]
    assert sorted(done[3:]) == ["create tied", "update loose size"]


def test_unregistered_resources_go_in_reverse_order(stack: Stack) -> None:
    stack.up(chain)
    stack.journal()
    report = stack.up(lambda: None)
    assert stack.journal() == ["delete third", "delete second", "delete first"]
    assert report.counts == {"delete": 3}
    assert stack.service.things == {}


def test_generated_name_is_kept_and_computed_values_do_not_differ(stack: Stack) -> None:
    stack.up(lambda: Thing("a"))
    name = stack.recorded("a").inputs["name"]
    assert name.startswith("a-")
    stack.up(lambda: Thing("a", size=3, color="red"))
    assert stack.recorded("a").inputs["name"] == name
    assert stack.up(lambda: Thing("a", size=3)).counts == {"same": 1}


def test_order_of_a_set_means_nothing(stack: Stack) -> None:
    stack.up(lambda: Thing("a", links=["x", "y"]))
    assert stack.up(lambda: Thing("a", links=["y", "x"])).counts == {"same": 1}
    assert stack.up(lambda: Thing("a", links=["y"])).counts == {"update": 1}


def test_outputs_are_recorded(stack: Stack) -> None:
    def program() -> None:
        thing = Thing("a")
        pulumi.export("address", thing.address)
        pulumi.export("nested", {"list": [thing.address, 3]})

    stack.up(program)
    assert stack.outputs() == {"address": "address-of-a", "nested": {"list": ["address-of-a", 3]}}


def test_components_group_and_pass_options_on(stack: Stack) -> None:
    class Group(pulumi.ComponentResource):
        def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
            super().__init__("demo:index:Group", name, None, opts)
            Thing(f"{name}-thing", opts=options(parent=self))
            self.register_outputs({"size": 1})

    stack.up(lambda: Group("g", options(retain_on_delete=True, protect=True)))
    thing = stack.recorded("g-thing")
    assert thing.urn == "urn:pulumi:test::demo::demo:index:Group$fake:index:Thing::g-thing"
    assert thing.retain_on_delete
    assert thing.protect
    assert stack.recorded("g").outputs == {"size": 1}


def test_providers_are_passed_down_and_their_replacement_replaces(stack: Stack) -> None:
    def program(endpoint: str, token: str) -> None:
        provider = Provider("p", endpoint=endpoint, token=token)
        Thing("a", opts=options(provider=provider))

    stack.config["pulumi:disable-default-providers"] = '["*"]'
    stack.up(lambda: program("one", "x"))
    assert "p::" in stack.recorded("a").provider
    assert stack.up(lambda: program("one", "y")).counts == {"update": 1, "same": 1}
    assert stack.up(lambda: program("two", "y")).counts["replace"] == 2
    assert stack.journal() == ["create a", "create a", "delete a"]
    report = stack.up(lambda: Thing("plain"))
    assert "must be given an explicit provider" in report.errors[0]


def test_invoke_calls_a_provider_function(stack: Stack) -> None:
    def program() -> None:
        zone = pulumi.runtime.invoke("fake:index:getZone", {"key": "k"}).value
        Thing("a", zone=zone["zone"])

    stack.up(program)
    assert stack.recorded("a").inputs["zone"] == "zone-k"


def test_first_failure_stops_what_follows_and_the_next_run_goes_on(stack: Stack) -> None:
    stack.service.refuse.add("second")
    report = stack.up(chain)
    assert report.errors == ["fake:Thing second: the service refused second"]
    assert stack.journal() == ["create first"]
    assert stack.names() == {"first"}
    stack.service.refuse.clear()
    assert stack.up(chain).counts == {"create": 2, "same": 1}


def test_a_failed_run_removes_nothing(stack: Stack) -> None:
    stack.up(lambda: Thing("old"))
    stack.service.refuse.add("new")
    stack.up(lambda: Thing("new"))
    assert stack.names() == {"old"}


def test_broken_resource_is_recorded_and_replaced_by_the_next_run(stack: Stack) -> None:
    stack.service.spoil.add("a")
    report = stack.up(lambda: Thing("a"))
    assert report.errors == ["fake:Thing a: a is broken"]
    assert stack.recorded("a").tainted
    stack.service.spoil.clear()
    assert stack.up(lambda: Thing("a")).counts["replace"] == 1
    assert len(stack.service.things) == 1


def test_fault_of_the_program_is_told_and_changes_nothing(stack: Stack) -> None:
    def program() -> None:
        Thing("a")
        raise pulumi.RunError("config: network.cidr is missing")

    with pytest.raises(Exception, match=r"network\.cidr is missing"):
        stack.up(program)
    assert stack.service.things == {}
