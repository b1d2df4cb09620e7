"""Ports in use are detected and reported with their process."""

import os
import socket
from collections.abc import Iterator

import pytest

from sandbox.errors import SandboxError
from sandbox.ports import CLUSTER_BLOCK, CLUSTER_PORTS, Port, listeners, require_free


@pytest.fixture
def taken() -> Iterator[int]:
    """Yield a port that this process listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_the_process_that_uses_a_port_is_reported(taken: int) -> None:
    with pytest.raises(SandboxError, match=rf"port {taken} is in use by \S+ \(pid {os.getpid()}\)"):
        require_free([taken])


def test_the_sandboxs_own_processes_may_use_its_ports(taken: int) -> None:
    require_free([taken], ours=[os.getsid(0)])


def test_a_free_port_is_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    require_free([port])


def test_a_listener_on_another_address_does_not_conflict() -> None:
    with socket.create_server(("127.0.0.2", 0)) as server:
        assert listeners([server.getsockname()[1]]) == []


def test_a_listener_on_all_addresses_conflicts() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - during this test only
        port = server.getsockname()[1]
        assert [found.port for found in listeners([port])] == [port]


def test_ports_of_clusters_and_services_do_not_overlap() -> None:
    assert not set(Port) & set(CLUSTER_PORTS)
    assert len(CLUSTER_PORTS) % CLUSTER_BLOCK == 0
