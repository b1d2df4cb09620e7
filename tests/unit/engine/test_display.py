"""What people see of a run, on a terminal and in a log."""

import io

from rich.console import Console

from sandbox.engine.diff import Change
from sandbox.engine.display import LiveDisplay, MessagesOnly, summary
from sandbox.engine.report import Report

URN = "urn:pulumi:test::demo::demo:index:Group$openstack:networking/network:Network::network"


def shown(*, terminal: bool = False, details: bool = False, planned: bool = False) -> tuple[LiveDisplay, io.StringIO]:
    output = io.StringIO()
    console = Console(file=output, force_terminal=terminal, width=120, color_system=None)
    return LiveDisplay(console, details=details, planned=planned), output


def test_log_has_a_line_for_each_operation_and_wait() -> None:
    display, output = shown()
    report = Report(display)
    with report.step("create", URN) as step:
        report.waiting(step, "waiting for [it]")
    report.end(report.begin("same", URN))
    report.end(report.begin("delete", URN), "it is [busy]")
    lines = [line.partition("] ")[2] for line in output.getvalue().splitlines()]
    assert lines[0] == "  + create openstack:Network network: waiting for [it]"
    assert lines[1].startswith("+ create openstack:Network network ")
    assert lines[2] == "✗ - delete openstack:Network network: it is [busy]"
    assert len(lines) == 3
    assert report.errors == ["openstack:Network network: it is [busy]"]


def test_preview_shows_each_property_and_whether_it_replaces() -> None:
    display, output = shown(details=True, planned=True)
    changes = [
        Change(path=("tags", 0), kind="add", new="x"),
        Change(path=("cidr",), kind="update", old="a", new="b", replaces=True),
        Change(path=("long",), kind="delete", old="y" * 100),
    ]
    report = Report(display)
    report.end(report.begin("replace", URN, changes, "provider replaced"))
    assert output.getvalue().splitlines() == [
        "± replace openstack:Network network (provider replaced)",
        "    + tags[0]: x",
        "    ~ cidr: a → b (replaces)",
        f"    - long: {'y' * 59}…",
    ]


def test_terminal_shows_what_is_under_way_and_takes_it_away() -> None:
    display, output = shown(terminal=True)
    report = Report(display)
    with display, report.step("create", URN) as step:
        report.waiting(step, "waiting")
    assert "create openstack:Network network" in output.getvalue()


def test_warning_of_the_preview_is_not_shown_twice() -> None:
    display, output = shown()
    MessagesOnly(display).say("quota is nearly used up", "warning")
    MessagesOnly(display).say("a fault, told with the result", "error")
    display.say("quota is nearly used up", "warning")
    display.say("a detail", "debug")
    assert output.getvalue().count("quota is nearly used up") == 1
    assert len(output.getvalue().splitlines()) == 1


def test_summary_counts_what_happened() -> None:
    report = Report(shown()[0])
    for verb in ("create", "create", "discard", "same"):
        report.end(report.begin(verb, URN))
    report.close()
    _, output = shown()
    console = Console(file=output, width=80)
    summary(console, report)
    lines = [line.split() for line in output.getvalue().splitlines()]
    assert lines[:2] == [["+", "2", "created"], ["1", "unchanged"]]
    assert report.as_json()["summary"] == {"create": 2, "same": 1}
