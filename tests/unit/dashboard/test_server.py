import http.client
from collections.abc import Iterator

import pytest

from dashboard.server import Server, static
from tests.serving import serving


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server that is running."""
    files = {"index.html": lambda: "<p>the page</p>", "topology.svg": lambda: None, "style.css": static("style.css")}
    with serving(Server(0, files)) as found:
        yield found


def ask(server: Server, path: str = "/", method: str = "GET", **headers: str) -> http.client.HTTPResponse:
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def test_the_page_allows_nothing_but_files_of_this_server(server: Server) -> None:
    answer = ask(server)
    assert (answer.status, answer.read()) == (200, b"<p>the page</p>")
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert {policy[each] for each in ("script-src", "style-src", "connect-src")} == {"'self'"}
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["Cache-Control"] == "no-store"


def test_it_listens_on_the_loopback_interface_only(server: Server) -> None:
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:9000", "LOCALHOST:8642"])
def test_names_of_this_machine_are_answered(server: Server, host: str) -> None:
    assert ask(server, Host=host).status == 200


@pytest.mark.parametrize("host", ["rsp.example.org", "localhost.example.org", "127.0.0.1.example.org:8642", "", "[::1"])
def test_a_name_that_was_rebound_to_this_machine_is_refused(server: Server, host: str) -> None:
    answer = ask(server, Host=host)
    assert answer.status == 421
    assert b"the page" not in answer.read()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
def test_only_get_is_answered(server: Server, method: str) -> None:
    answer = ask(server, method=method)
    assert answer.status == 501
    assert b"the page" not in answer.read()


@pytest.mark.parametrize("path", ["/topology.svg", "/server.py", "/../server.py", "/style.css/.."])
def test_nothing_else_is_served(server: Server, path: str) -> None:
    assert ask(server, path).status == 404


def test_files_have_their_types(server: Server) -> None:
    assert ask(server, "/style.css?1").headers["Content-Type"] == "text/css; charset=utf-8"


def test_a_port_in_use_is_refused(server: Server) -> None:
    with pytest.raises(OSError, match="in use"):
        Server(server.server_port, {})
