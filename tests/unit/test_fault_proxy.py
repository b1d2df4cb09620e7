"""The proxy of the tests with faults forwards requests, and injects the same faults for the same seed."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.faults import proxy
from tests.faults.proxy import Fault, FaultProxy
from tests.unit.json_server import Request, json_server

KIND = "GET /things"


@contextmanager
def proxied(fault: Fault | None, monkeypatch: pytest.MonkeyPatch, received: list[Request]) -> Iterator[str]:
    """Yield the proxy's URL of a service; each request has the same fate."""
    monkeypatch.setattr(FaultProxy, "decide", lambda *_: fault)
    monkeypatch.setattr(proxy, "DELAY", 0)
    answers = {KIND: (200, {"next": "{url}/things?page=2"}), "POST /things": (201, {}), "LIST /things": (200, {})}
    with json_server(answers, received) as url, FaultProxy({"service": url}, "1", 1).running() as running:
        yield running.addresses["service"]


@pytest.mark.parametrize("fault", [None, Fault.DELAYED])
def test_an_answer_leads_to_the_proxy_again(fault: Fault | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxied(fault, monkeypatch, []) as url:
        assert requests.get(f"{url}/things", timeout=5).json() == {"next": f"{url}/things?page=2"}


@pytest.mark.parametrize("method", ["POST", "LIST"])
def test_all_methods_are_forwarded(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[Request] = []
    with proxied(None, monkeypatch, received) as url:
        assert requests.request(method, f"{url}/things", json={"a": 1}, timeout=5).ok
    ((line, body),) = [(each.line, each.body) for each in received]
    assert (line, body) == (f"{method} /things", {"a": 1})


@pytest.mark.parametrize("fault", [Fault.ERROR, Fault.UNAVAILABLE, Fault.TOO_MANY])
def test_a_refused_request_does_not_reach_the_service(fault: Fault, monkeypatch: pytest.MonkeyPatch) -> None:
    received: list[Request] = []
    with proxied(fault, monkeypatch, received) as url:
        answer = requests.get(f"{url}/things", timeout=5)
    assert answer.status_code == fault.value
    assert ("Retry-After" in answer.headers) is (fault is Fault.TOO_MANY)
    assert received == []


@pytest.mark.parametrize(("fault", "reached"), [(Fault.DROPPED, 0), (Fault.LOST, 1)])
def test_a_connection_is_closed_before_or_after_the_service_has_answered(
    fault: Fault, reached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[Request] = []
    with proxied(fault, monkeypatch, received) as url, pytest.raises(requests.ConnectionError):
        requests.post(f"{url}/things", timeout=5)
    assert len(received) == reached


def decisions(seed: str) -> list[Fault | None]:
    running = FaultProxy({}, seed, 0.5)
    return [running.decide("service", "GET", f"/things/{number % 3}") for number in range(60)]


def test_faults_follow_from_the_seed() -> None:
    assert decisions("1") == decisions("1") != decisions("2")
    assert {None, *Fault} == set(decisions("1"))


def test_faults_do_not_depend_on_identifiers_and_the_order_of_requests() -> None:
    one, other = FaultProxy({}, "1", 0.5), FaultProxy({}, "1", 0.5)
    for number in range(20):
        other.decide("service", "GET", "/others")
        expected = one.decide("service", "GET", "/things/6cfd4a9e-0000-4000-8000-000000000001")
        assert other.decide("service", "GET", f"/things/6cfd4a9e-0000-4000-8000-{number:012}") is expected
