import threading
from collections.abc import Iterator

import pytest
from openstack.exceptions import SDKException

from phalanx.errors import PhalanxError
from probes.health.check import Check, Once, run
from probes.health.finding import Finding, State, ok


def test_findings_keep_the_order_of_the_checks_and_know_their_check() -> None:
    second = threading.Event()

    def first() -> Iterator[Finding]:
        # Sequentially, this would never end.
        assert second.wait(5)
        yield ok("a", "")

    def then() -> Iterator[Finding]:
        second.set()
        yield ok("b", "")
        yield ok("c", "")

    found = run([Check(name="first", run=first), Check(name="then", run=then)])
    assert [(each.subject, each.check) for each in found] == [("a", "first"), ("b", "then"), ("c", "then")]


def test_a_check_that_hangs_is_one_finding_and_delays_no_other() -> None:
    never = threading.Event()

    def hang() -> Iterator[Finding]:
        never.wait()
        yield ok("hangs", "")

    checks = [
        Check(name="hangs", run=hang, requires=("Keystone",), remedy="`ask`", failure=State.CRITICAL),
        Check(name="works", run=lambda: [ok("works", "")]),
    ]
    hanging, working = run(checks, limit=0.2)
    assert working.state is State.OK
    assert (hanging.state, hanging.because_of, hanging.remedy) == (State.CRITICAL, ("Keystone",), "`ask`")
    assert hanging.message == "no answer within 0 s"
    never.set()


@pytest.mark.parametrize(
    ("error", "state", "message"),
    [
        (PhalanxError("Vault refuses\nfor two reasons"), State.UNKNOWN, "Vault refuses\nfor two reasons"),
        (SDKException("Service Unavailable."), State.UNKNOWN, "request failed: Service Unavailable"),
        (
            ConnectionRefusedError(111, "Connection refused"),
            State.UNKNOWN,
            "request failed: [Errno 111] Connection refused",
        ),
        # It may quote what it could not parse.
        (KeyError("password=planted"), State.UNKNOWN, "the check itself failed: KeyError"),
    ],
)
def test_a_check_that_fails_is_a_finding(error: Exception, state: State, message: str) -> None:
    def fail() -> Iterator[Finding]:
        yield ok("half", "not kept")
        raise error

    (found,) = run([Check(name="x", run=fail, requires=("y",))])
    assert (found.subject, found.state, found.message, found.because_of) == ("x", state, message, ("y",))


def test_a_shared_value_is_made_once_and_so_is_its_failure() -> None:
    made: list[int] = []

    def make() -> int:
        made.append(1)
        if len(made) == 1:
            raise PhalanxError("not yet")
        return len(made)

    shared = Once(make)
    for _ in range(2):
        with pytest.raises(PhalanxError, match="not yet"):
            shared()
    assert len(made) == 1
    shared.retry()
    assert (shared(), shared()) == (2, 2)
    shared.retry()
    assert shared() == 2
