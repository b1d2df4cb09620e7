"""A refresh records what the real resources are; the next run brings them back to what the program says."""

from tests.unit.engine.conftest import Stack
from tests.unit.engine.service import Thing


def only(stack: Stack) -> dict[str, object]:
    (thing,) = stack.service.things.values()
    return thing


def test_drift_is_recorded_and_mended(stack: Stack) -> None:
    stack.up(lambda: Thing("a", size=1, color="red"))
    only(stack)["size"] = 7
    report = stack.refresh()
    assert report.counts == {"refresh": 1}
    assert [(str(change), change.old, change.new) for change in report.steps[0].changes] == [("size", 1, 7)]
    assert stack.recorded("a").inputs["size"] == 7
    assert stack.up(lambda: Thing("a", size=1, color="red")).counts == {"update": 1}
    assert only(stack)["size"] == 1


def test_no_drift_is_no_change(stack: Stack) -> None:
    stack.up(lambda: Thing("a", size=1))
    before = stack.file.read_text()
    assert stack.refresh().counts == {"same": 1}
    assert stack.file.read_text() == before


def test_what_the_service_decides_is_no_drift(stack: Stack) -> None:
    stack.up(lambda: Thing("a", size=1))
    only(stack)["status"] = "busy"
    assert stack.refresh().counts == {"same": 1}
    assert stack.recorded("a").outputs["status"] == "busy"


def test_what_is_gone_is_made_again(stack: Stack) -> None:
    stack.up(lambda: Thing("a"))
    stack.service.things.clear()
    assert stack.refresh().counts == {"delete": 1}
    assert stack.up(lambda: Thing("a")).counts == {"create": 1}
