"""A run that is cut off leaves a state from which the same command goes on, and nothing is made twice."""

import os
import signal
import threading
import time

import pulumi
import pytest

from sandbox.engine.errors import EngineError, InterruptedRunError
from sandbox.engine.state import State, locked
from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Thing


def test_made_but_not_recorded_is_found_again(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a", name="mine"))
    assert stack.names() == set()
    assert [each.resource.name for each in State.open(stack.file).pending()] == ["a"]
    stack.service.crash.clear()
    stack.journal()
    stack.up(lambda: Thing("a", name="mine"))
    assert stack.journal() == ["update a label,name"], "brought in order, not made again"
    assert len(stack.service.things) == 1
    assert State.open(stack.file).pending() == []


def test_generated_name_leads_back_to_what_was_made(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a"))
    stack.service.crash.clear()
    stack.up(lambda: Thing("a"))
    assert len(stack.service.things) == 1


def test_look_alike_that_was_there_before_is_not_taken(stack: Stack) -> None:
    strangers = stack.service.make({"label": "a", "name": "mine"})
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a", name="mine"))
    stack.service.crash.clear()
    stack.up(lambda: Thing("a", name="mine"))
    assert len(stack.service.things) == 2
    assert stack.recorded("a").id != strangers


def test_refused_creation_leaves_no_trace(stack: Stack) -> None:
    stack.service.refuse.add("a")
    stack.up(lambda: Thing("a"))
    assert State.open(stack.file).pending() == []


def test_interrupted_creation_that_is_no_longer_wanted_is_removed(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a"))
    stack.up(lambda: None)
    assert stack.service.things == {}


def test_destroy_finds_what_was_made_but_not_recorded(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a"))
    stack.destroy()
    assert stack.service.things == {}


def test_interrupted_replacement_goes_on(stack: Stack) -> None:
    stack.up(lambda: Thing("a", zone="north"))
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a", zone="south"))
    assert len(stack.service.things) == 2
    stack.service.crash.clear()
    stack.up(lambda: Thing("a", zone="south"))
    assert [thing["zone"] for thing in stack.service.things.values()] == ["south"]


def test_preview_tells_of_an_interrupted_creation_and_leaves_it(stack: Stack) -> None:
    stack.service.crash.add("a")
    stack.up(lambda: Thing("a"))
    before = stack.file.read_text()
    assert stack.preview(lambda: Thing("a")).counts == {"create": 1}
    assert stack.file.read_text() == before


def test_ctrl_c_finishes_what_is_under_way_and_begins_nothing_new(stack: Stack) -> None:
    def slowly() -> str:
        time.sleep(0.3)
        return "done"

    def program() -> None:
        first = Thing("first", size=1)
        if pulumi.runtime.is_dry_run():
            return
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT)).start()
        waited = first.id.apply(lambda _id: slowly())
        Thing("second", size=waited)

    with pytest.raises(InterruptedRunError, match="the same command goes on"):
        stack.up(program)
    assert stack.names() == {"first"}
    assert stack.journal() == ["create first"]


def test_second_run_at_the_same_time_is_refused(stack: Stack) -> None:
    with locked(stack.file), pytest.raises(EngineError, match=rf"another run \(process {os.getpid()}\)"):
        stack.up(lambda: None)
