"""TAP services of an environment: the list in the Portal, and the databases that they query."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from phalanx import charts
from phalanx.application import Application
from phalanx.documents import read_optional_mapping
from phalanx.values import get, is_true, merge

CHART: Final = "cadc-tap"
"""Name of the chart that all TAP services depend on, and key of its values in theirs."""

_MOCK: Final = "mock-db:3306"
"""Qserv by default (charts/cadc-tap/values.yaml): a simulated one of the chart, which is off by default."""

_LISTED: Final = ("ssotap", "livetap")
"""Values of the Portal with the path of a TAP service that it lists beside /api/tap."""


def values(root: Path, application: Application) -> Mapping[str, Any]:
    """Return the merged values of the chart of a TAP service; empty if the application is none.

    Args:
        root: Directory of the checkout that the application is deployed from.
        application: The application.
    """
    own = application.values.get(CHART)
    chart = root / "applications" / application.name
    if not isinstance(own, Mapping):
        return {}
    for dependency in charts.dependencies(root, chart) if (chart / "Chart.yaml").is_file() else ():
        if dependency.name == CHART and dependency.is_local and not charts.is_vendored(chart, dependency):
            own = merge(read_optional_mapping(charts.local(root, chart, dependency) / "values.yaml", root), own)
    return own


def doubts(
    root: Path, applications: Mapping[str, Application], roots: Mapping[str, Path] | None = None
) -> Iterator[str]:
    """Yield problems of the TAP services and of the Portal that lists them; each starts with file and key.

    Args:
        root: Directory of the checkout.
        applications: The enabled applications, by name.
        roots: Directories of the checkouts of applications that are deployed from another revision, by application.
    """
    services = {
        name: found for name, each in applications.items() if (found := values((roots or {}).get(name, root), each))
    }
    if "portal" in applications:
        yield from _unserved(applications["portal"], services)
        yield from _unshared(applications["portal"])
    for name, found in services.items():
        yield from _without_database(applications[name], found)


def _unserved(portal: Application, services: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    paths = {get(found, ("ingress", "path")): name for name, found in services.items()}
    for key in _LISTED:
        path = get(portal.values, ("config", key))
        if path and path not in paths:
            served = ", ".join(f"{each} ({name})" for each, name in paths.items()) or "none"
            yield (
                f"{portal.file_of('config', key)}: config.{key}: is {path!r}, but no enabled application serves "
                f"/api/{path}, so queries in the Portal fail: expected the path of one, {served}; or remove it "
                "(docs/howto/tap-services.md)"
            )


def _unshared(portal: Application) -> Iterator[str]:
    """Report several Pods with a work area each, as a user's requests reach any of them."""
    keys, replicas = ("config", "volumes", "sharedWorkarea"), portal.values.get("replicaCount")
    volume = get(portal.values, keys)
    if isinstance(replicas, int) and replicas > 1 and isinstance(volume, Mapping) and not any(volume.values()):
        yield (
            f"{portal.file_of('replicaCount')}: replicaCount: is {replicas}, expected 1 as long as {'.'.join(keys)} is "
            "an emptyDir, or there a volume that all Pods share, such as {nfs: {server: ..., path: ...}}: otherwise "
            "a Pod does not find what a user has loaded with another one"
        )


def _without_database(application: Application, found: Mapping[str, Any]) -> Iterator[str]:
    backend, qserv = get(found, ("config", "backend")), ("config", "qserv", "host")
    by_kafka = is_true(found, "config.kafka.enabled")
    if backend == "qserv" and get(found, qserv) == _MOCK and not is_true(found, "mockdb.enabled") and not by_kafka:
        yield (
            f"{application.file_of(CHART, *qserv)}: {CHART}.{'.'.join(qserv)}: is {_MOCK}, the simulated Qserv, but "
            f"{CHART}.mockdb.enabled is false: expected host and port of a Qserv, for example 192.0.2.10:4040, or "
            "mockdb.enabled: true (docs/howto/external-databases.md)"
        )
    for database in ("tapSchema", "uws"):
        keys = (database, "type")
        if get(found, keys) == "cloudsql" and not is_true(found, "cloudsql.instanceConnectionName"):
            yield (
                f"{application.file_of(CHART, *keys)}: {CHART}.{'.'.join(keys)}: is cloudsql, but "
                f"{CHART}.cloudsql.instanceConnectionName is not set: expected containerized, or external with "
                f"{CHART}.{database}.external.host (docs/howto/external-databases.md)"
            )
