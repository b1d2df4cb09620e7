import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.serving import tls


@contextmanager
def tls_server(certificate: str, key: str, folder: Path, address: tuple[str, int] = ("127.0.0.1", 0)) -> Iterator[str]:
    """Serve a certificate, and yield ``host:port``.

    Args:
        certificate: PEM, followed by intermediate certificates.
        key: Private key, PEM.
        folder: Existing directory for both.
        address: Address and port of this machine; by default a free port of the loopback interface.
    """
    context = tls(certificate, key, folder)
    listener = socket.create_server(address)

    def serve() -> None:
        # Closing the listener ends the loop; a client that does not trust the certificate disconnects.
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True) as encrypted:
                    encrypted.recv(1)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"{address[0]}:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()
