from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.serving import tls
from tests.unit.json_server import json_server


@contextmanager
def web_server(certificate: str, key: str, folder: Path, status: int = 200) -> Iterator[tuple[str, int]]:
    """Answer HTTPS requests for ``/`` on the loopback interface, and yield address and port.

    Args:
        certificate: PEM, followed by intermediate certificates.
        key: Private key, PEM.
        folder: Existing directory for both.
        status: Status of the response.
    """
    with json_server({"GET /": (status, {})}, tls=tls(certificate, key, folder)) as url:
        yield "127.0.0.1", int(urlsplit(url).port or 0)
