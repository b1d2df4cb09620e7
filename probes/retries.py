"""Retries of requests that fail because a service is overloaded, is being restarted, or does not answer."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import requests
    from openstack.connection import Connection
    from urllib3.util import Retry

RETRIES: Final = 4
"""Maximum number of retries of a request."""

BACKOFF: Final = 0.2
"""Seconds before the second retry, doubled before each further one; the first retry follows at once."""

LONGEST: Final = 10
"""Maximum seconds between two attempts, even if the service asks for more with ``Retry-After``."""

_READS: Final = frozenset({"GET", "HEAD", "LIST"})
"""Methods that change nothing; LIST is Vault's."""

_TRANSIENT: Final = frozenset({429, 500, 502, 503, 504})
"""Statuses after which the same request may succeed later."""


def retry_reads(session: "requests.Session", *queries: str) -> None:
    """Let a session retry requests that change nothing.

    Other requests are not retried: a service may have processed one although its answer was lost.

    Args:
        session: The session.
        queries: URLs to which a POST changes nothing, either.
    """
    from requests.adapters import HTTPAdapter

    for adapter in session.adapters.values():
        adapter.max_retries = _retries(_READS)  # type: ignore[attr-defined]  # each is an HTTPAdapter
    for url in queries:
        session.mount(url, HTTPAdapter(max_retries=_retries(_READS | {"POST"})))


def retry_openstack(connection: "Connection") -> None:
    """Let a connection retry requests that change nothing, including those for tokens."""
    from keystoneauth1.session import TCPKeepAliveAdapter

    session = connection.session.session
    retry_reads(session)
    if url := connection.config.get_auth_args().get("auth_url"):
        session.mount(url, TCPKeepAliveAdapter(max_retries=_retries(_READS | {"POST"})))


def _retries(methods: Collection[str]) -> "Retry":
    from urllib3.util import Retry

    return Retry(
        RETRIES,
        allowed_methods=methods,
        status_forcelist=_TRANSIENT,
        raise_on_status=False,  # the clients explain the last response
        backoff_factor=BACKOFF,
        retry_after_max=LONGEST,
    )
