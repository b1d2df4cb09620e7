import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import ThreadingHTTPServer

from tests.serving import Handler, serving


@contextmanager
def flaky_server(outcomes: Sequence[int | None], received: list[str]) -> Iterator[str]:
    """Answer requests with a sequence of outcomes, and yield the server's URL.

    Args:
        outcomes: A status for each request, or None to close the connection without an answer; the last one is
            repeated.
        received: List to which the method of each request is added.
    """

    class Outcome(Handler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            outcome = outcomes[min(len(received), len(outcomes) - 1)]
            received.append(self.command)
            self.close_connection = True
            if outcome is None:
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            self.send_response(outcome)
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_POST = do_DELETE = do_LIST = answer  # noqa: N815  # names of http.server; LIST is Vault's

    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Outcome)) as server:
        yield f"http://127.0.0.1:{server.server_port}"
