import socket
from collections.abc import Iterator

import pytest

from phalanx.databases import Database
from probes.health import databases
from probes.health.finding import State


def database(port: int, host: str = "127.0.0.1") -> Database:
    return Database(applications=("tap",), where="values-test.yaml: cadc-tap.config.qserv.host", host=host, port=port)


@pytest.fixture
def listening() -> Iterator[int]:
    """Return the port of a server that accepts connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_database_that_accepts_connections_is_in_order(listening: int) -> None:
    (found,) = databases.check([database(listening)])
    assert (found.state, found.subject) == (State.OK, f"database 127.0.0.1:{listening}")
    assert found.message == "accepts connections from this machine; used by tap"


def test_a_refused_connection_is_a_warning_with_the_command_for_the_cluster() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    (found,) = databases.check([database(port)])
    assert found.state is State.WARNING
    assert found.message == (
        "is not reached from this machine: Connection refused; used by tap (values-test.yaml: "
        "cadc-tap.config.qserv.host)"
    )
    assert f"`kubectl run -it --rm --restart=Never --image=busybox reach -- nc -zvw5 127.0.0.1 {port}`" in found.remedy


def test_a_host_is_quoted_in_the_command() -> None:
    assert "nc -zvw5 'a;b' 5432" in databases.judge(database(5432, "a;b"), "no answer").remedy
