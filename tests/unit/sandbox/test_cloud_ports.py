"""A port that is taken is named with its owner, before anything starts."""

import os
import socket
from collections.abc import Iterator

import pytest

from sandbox.errors import SandboxError
from sandbox.ports import CLUSTER_BLOCK, CLUSTER_PORTS, Port, listeners, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that this very process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_owner_of_a_taken_port_is_named(taken: int) -> None:
    with pytest.raises(SandboxError, match=rf"port {taken} is in use by \S+ \(pid {os.getpid()}\)"):
        require_free([taken])


def test_the_sandboxs_own_processes_may_hold_its_ports(taken: int) -> None:
    require_free([taken], ours=[os.getsid(0)])


def test_a_free_port_is_no_problem() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    require_free([port])


def test_a_listener_on_another_address_is_not_in_the_way() -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        assert listeners([server.getsockname()[1]]) == []


def test_a_listener_on_every_address_is_in_the_way() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - for the length of this test
        port = server.getsockname()[1]
        assert [found.port for found in listeners([port])] == [port]


def test_the_ports_of_clusters_are_apart_from_those_of_services() -> None:
    assert not set(Port) & set(CLUSTER_PORTS)
    assert len(CLUSTER_PORTS) % CLUSTER_BLOCK == 0
