"""Databases outside of the cluster that an environment's applications query."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from phalanx import tap_services
from phalanx.application import Application
from phalanx.values import get, is_true

_PORTS: Final = {"mysql": 3306, "postgresql": 5432}
"""Ports of databases, if a value has none."""

_SCHEMES: Final = {"pg": "postgresql", "qserv": "mysql"}
"""Schemes of the URLs of a TAP service's backends."""

_URLS: Final[Sequence[tuple[str, ...]]] = (
    ("config", "databaseUrl"),
    ("jupyterhub", "hub", "db", "url"),
)
"""Values of applications with the URL of a database."""

_IN_PLACE_OF_URLS: Final = ("config.internalDatabase", "cloudsql.enabled")
"""Values of applications that connect to another database than that of the URL."""

_LABELS_IN_CLUSTER: Final = 2
"""Maximum number of labels in the short name of a Service, such as ``postgres.postgres``."""


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database outside of the cluster."""

    applications: tuple[str, ...]
    """Applications that query it."""
    where: str
    """File and key of its address."""
    host: str
    """Host name or address."""
    port: int
    """TCP port."""

    @property
    def address(self) -> str:
        """Host and port, as in a URL."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def external(
    root: Path, applications: Mapping[str, Application], roots: Mapping[str, Path] | None = None
) -> list[Database]:
    """Return the databases outside of the cluster, each once.

    Args:
        root: Directory of the checkout.
        applications: The enabled applications, by name.
        roots: Directories of the checkouts of applications that are deployed from another revision, by application.
    """
    users: dict[tuple[str, int], dict[str, str]] = {}
    for name, application in applications.items():
        for keys, scheme, value in _addresses((roots or {}).get(name, root), application):
            address = _parsed(value, scheme)
            if address and not _is_in_cluster(address[0]):
                where = f"{application.file_of(*keys)}: {'.'.join(keys)}"
                users.setdefault(address, {}).setdefault(name, where)
    return [
        Database(applications=tuple(places), where=next(iter(places.values())), host=host, port=port)
        for (host, port), places in users.items()
    ]


def _addresses(root: Path, application: Application) -> Iterator[tuple[tuple[str, ...], str, Any]]:
    """Yield the keys of each address of a database, the scheme of its URL, and the address."""
    if not any(is_true(application.values, each) for each in _IN_PLACE_OF_URLS):
        for url in _URLS:
            yield url, "", get(application.values, url)
    service = tap_services.values(root, application)
    backend = get(service, ("config", "backend"))
    by_kafka = is_true(service, "config.kafka.enabled")
    if backend == "pg" or (backend == "qserv" and not by_kafka):
        host = ("config", str(backend), "host")
        yield (tap_services.CHART, *host), _SCHEMES[backend], get(service, host)
    for database in ("tapSchema", "uws"):
        if get(service, (database, "type")) == "external":
            host, port = (database, "external", "host"), get(service, (database, "external", "port"))
            yield (tap_services.CHART, *host), _SCHEMES["pg"], f"{get(service, host) or ''}:{port or ''}"


def _parsed(value: Any, scheme: str) -> tuple[str, int] | None:
    """Return host and port of a URL, or of ``host`` or ``host:port``; None if there is no host."""
    if not isinstance(value, str):
        return None
    try:
        url = urlsplit(value if "://" in value else f"{scheme}://{value}")
        host, port = url.hostname, url.port
    except ValueError:
        return None
    # A URL for SQLAlchemy may name the driver, such as postgresql+asyncpg.
    return (host, port or _PORTS.get(url.scheme.partition("+")[0], _PORTS["postgresql"])) if host else None


def _is_in_cluster(host: str) -> bool:
    """Return whether a host is a Service: a short name, or one below ``svc``."""
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        return len(labels) <= _LABELS_IN_CLUSTER or "svc" in labels
    return host in {"127.0.0.1", "::1"}
