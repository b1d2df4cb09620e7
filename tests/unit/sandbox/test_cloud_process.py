"""Processes that outlive the command that started them are found, restarted after changes, and stopped."""

import os
import signal
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import SandboxError
from sandbox.process import Process, ProcessDiedError, memory, recorded, recorded_sessions, wait_for

SLEEP = (sys.executable, "-c", "import time; time.sleep(600)")


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Process]:
    process = Process(name="sleeper", argv=SLEEP, records=tmp_path / "run", logs=tmp_path / "log")
    yield process
    process.stop(grace=0)


def shell(process: Process, script: str) -> Process:
    return replace(process, argv=("/bin/sh", "-c", script))


def test_start_leaves_a_running_process_alone(sleeper: Process) -> None:
    assert sleeper.start()
    pid = sleeper.alive()
    assert pid
    assert not sleeper.start()
    assert sleeper.alive() == pid


def test_stop_ends_the_process(sleeper: Process) -> None:
    sleeper.start()
    pid = sleeper.alive()
    assert pid
    sleeper.stop()
    assert sleeper.alive() is None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"argv": (*SLEEP, "more")},
        {"env": {"MODE": "other"}},
        {"cwd": Path("/")},
    ],
    ids=["command", "environment", "directory"],
)
def test_a_changed_command_restarts_the_process(sleeper: Process, change: dict[str, Any]) -> None:
    sleeper.start()
    before = sleeper.alive()
    assert replace(sleeper, **change).start()
    assert sleeper.alive() not in {None, before}


def test_a_changed_configuration_file_restarts_the_process(sleeper: Process, tmp_path: Path) -> None:
    config = tmp_path / "service.conf"
    config.write_text("one")
    configured = replace(sleeper, config=(config,))
    configured.start()
    before = configured.alive()
    config.write_text("one")
    assert not configured.start()
    config.write_text("two")
    assert configured.start()
    assert configured.alive() != before


def test_the_digest_does_not_depend_on_the_order_of_the_environment(sleeper: Process) -> None:
    one = replace(sleeper, env={"A": "1", "B": "2"})
    other = replace(sleeper, env={"B": "2", "A": "1"})
    assert one.digest() == other.digest()


def test_the_callers_environment_is_not_inherited(sleeper: Process, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_PASSWORD", "given-to-the-caller")
    printer = shell(sleeper, "env; sleep 600")
    printer.start()
    wait_for(lambda: "PATH=" in printer.log.read_text(), "the environment is printed", printer, timeout=10)
    assert "given-to-the-caller" not in printer.log.read_text()


def test_stop_ends_the_children(sleeper: Process) -> None:
    parent = shell(sleeper, "sleep 600 & sleep 600 & wait")
    parent.start()
    session = parent.alive()
    assert session
    wait_for(lambda: len(members(session)) == 3, "both children run", parent, timeout=10)
    parent.stop()
    assert members(session) == []


def test_children_of_a_killed_process_are_stopped_before_it_is_started_again(sleeper: Process) -> None:
    parent = shell(sleeper, "sleep 600 & wait")
    parent.start()
    session = parent.alive()
    assert session
    wait_for(lambda: len(members(session)) == 2, "the child runs", parent, timeout=10)
    os.kill(session, signal.SIGKILL)
    wait_for(lambda: parent.alive() is None, "the parent is dead", timeout=10)
    assert recorded_sessions(parent.records) == {session}
    assert parent.start()
    assert members(session) == []


def test_a_process_that_ignores_sigterm_is_killed(sleeper: Process) -> None:
    stubborn = shell(sleeper, "trap '' TERM; echo ready; while :; do sleep 0.1; done")
    stubborn.start()
    session = stubborn.alive()
    assert session
    wait_for(lambda: "ready" in stubborn.log.read_text(), "it ignores SIGTERM", stubborn, timeout=10)
    stubborn.stop(grace=0.3)
    assert members(session) == []


def test_another_process_with_the_recorded_id_is_left_alone(sleeper: Process) -> None:
    """Process ids are reused; the start time identifies the process."""
    sleeper.start()
    stranger = sleeper.alive()
    assert stranger
    record = sleeper.records / "sleeper.json"
    forged = record.read_text().replace('"started": ', '"started": 9')
    record.write_text(forged)
    try:
        assert sleeper.alive() is None
        sleeper.stop()
        os.kill(stranger, 0)
    finally:
        os.kill(stranger, signal.SIGKILL)


def test_a_damaged_record_is_ignored(sleeper: Process) -> None:
    sleeper.records.mkdir()
    (sleeper.records / "sleeper.json").write_text('{"pid": 1')
    assert sleeper.alive() is None


def test_a_missing_program_is_reported(sleeper: Process) -> None:
    with pytest.raises(SandboxError, match="sleeper: cannot run /nonexistent/program"):
        replace(sleeper, argv=("/nonexistent/program",)).start()


def test_waiting_for_a_process_that_dies_ends_at_once_with_its_log(sleeper: Process) -> None:
    dying = shell(sleeper, "echo the port is taken >&2; exit 3")
    dying.start()
    started = time.monotonic()
    with pytest.raises(ProcessDiedError, match="the port is taken"):
        wait_for(lambda: False, "it answers", dying, timeout=60)
    assert time.monotonic() - started < 10


def test_a_timeout_names_the_condition_and_the_log(sleeper: Process) -> None:
    sleeper.start()
    with pytest.raises(SandboxError, match=r"the moon is blue.*sleeper\.log"):
        wait_for(lambda: False, "the moon is blue", sleeper, timeout=0.1)
    with pytest.raises(SandboxError, match="the moon is blue, not white"):
        wait_for(lambda: False, lambda: "the moon is blue, not white", timeout=0)


def test_records_are_readable_by_their_owner_only(sleeper: Process) -> None:
    sleeper.start()
    assert (sleeper.records / "sleeper.json").stat().st_mode & 0o077 == 0


def test_a_recorded_process_can_be_stopped_without_its_definition(sleeper: Process) -> None:
    sleeper.start()
    (found,) = recorded(sleeper.records)
    assert found.name == "sleeper"
    found.stop()
    assert sleeper.alive() is None


def test_the_age_is_the_time_since_the_start(sleeper: Process) -> None:
    assert sleeper.age() == 0
    sleeper.start()
    time.sleep(0.1)
    assert 0.05 < sleeper.age() < 60


def test_memory_includes_the_whole_session(sleeper: Process) -> None:
    sleeper.start()
    pid = sleeper.alive()
    assert pid
    deadline = time.monotonic() + 10
    while memory(pid) <= 1024 * 1024:  # until the interpreter has started
        assert time.monotonic() < deadline
        time.sleep(0.05)


def members(session: int) -> list[int]:
    """Return the running processes of a session, according to ps."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(entry.name))
    return found
