"""The TCP proxy of the tests with faults forwards connections, and breaks them."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.faults import tcp_proxy
from tests.faults.proxy import Fault, Injected
from tests.faults.tcp_proxy import TcpProxy
from tests.unit.json_server import Request, json_server

ANSWER = {"data": "x" * 100_000}
_BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


@contextmanager
def proxied(
    fault: Fault | None, limit: int, monkeypatch: pytest.MonkeyPatch, received: list[Request]
) -> Iterator[tuple[str, list[Injected]]]:
    """Yield the proxy's URL of a server, and the list of faults; each connection has the same fate."""
    monkeypatch.setattr(TcpProxy, "decide", lambda _: (fault, limit))
    monkeypatch.setattr(tcp_proxy, "DELAY", 0)
    monkeypatch.setattr(tcp_proxy, "CLUSTER_PORTS", range(65536))
    injected: list[Injected] = []
    with json_server({"GET /": (200, ANSWER)}, received) as url, TcpProxy(injected, "1", 1).running() as proxy:
        address = proxy.through(url.replace("http:", "https:"))
        yield address.replace("https:", "http:"), injected


@pytest.mark.parametrize("fault", [None, Fault.DELAYED])
def test_connections_are_forwarded(fault: Fault | None, monkeypatch: pytest.MonkeyPatch) -> None:
    with proxied(fault, 1_000_000, monkeypatch, []) as (url, injected):
        assert requests.get(url, timeout=5).json() == ANSWER
    assert [each.fault for each in injected] == ([fault] if fault else [])


@pytest.mark.parametrize(("fault", "expected", "reached"), [(Fault.DROPPED, Fault.DROPPED, 0), (None, Fault.LOST, 1)])
def test_a_connection_is_closed_at_once_or_during_an_answer(
    fault: Fault | None, expected: Fault, reached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[Request] = []
    with proxied(fault, 2000, monkeypatch, received) as (url, injected):
        with pytest.raises(_BROKEN):
            requests.get(url, timeout=5)
        assert [each.fault for each in injected] == [expected]
        assert injected[0].address == url.replace("http:", "https:")
    assert len(received) == reached


def test_only_the_addresses_of_clusters_are_replaced() -> None:
    with TcpProxy([], "1", 1).running() as proxy:
        one, other = (proxy.through(f"https://127.0.0.1:{port}/api") for port in (20001, 20021))
        assert len({one, other, "https://127.0.0.1:20001/api", "https://127.0.0.1:20021/api"}) == 4
        assert proxy.through("https://127.0.0.1:20001/api") == one
        others = "https://127.0.0.1:8200 http://127.0.0.1:20001"
        assert proxy.through(others) == others


def test_faults_follow_from_the_seed() -> None:
    def decisions(seed: str) -> list[tuple[Fault | None, int]]:
        proxy = TcpProxy([], seed, 0.5)
        return [proxy.decide() for _ in range(60)]

    assert decisions("1") == decisions("1") != decisions("2")
    assert {fault for fault, _ in decisions("1")} == {None, Fault.DROPPED, Fault.DELAYED}
