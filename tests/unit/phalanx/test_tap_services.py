"""TAP services, the Portal's list of them, and databases outside of the cluster."""

from pathlib import Path
from typing import Any

import pytest

from phalanx import application, databases, environment, tap_services
from phalanx.application import Application
from tests.unit.phalanx.repository import SETTINGS, write

CHART = {"name": "tap", "dependencies": [{"name": "cadc-tap", "repository": "file://../../charts/cadc-tap"}]}
DEFAULTS = {
    "config": {"qserv": {"host": "mock-db:3306"}, "pg": {"host": ""}},
    "mockdb": {"enabled": False},
    "tapSchema": {"type": "containerized", "external": {"host": "", "port": 5432}},
    "uws": {"type": "containerized"},
}


def load(root: Path, tap: dict[str, Any], **others: Any) -> dict[str, Application]:
    """Return a TAP service with its chart, and applications with the given values."""
    write(
        root,
        {
            "environments/values.yaml": {**SETTINGS, "applications": dict.fromkeys(["tap", *others], True)},
            "environments/values-test.yaml": {"name": "test"},
            "charts/cadc-tap/Chart.yaml": {"name": "cadc-tap"},
            "charts/cadc-tap/values.yaml": DEFAULTS,
            "applications/tap/Chart.yaml": CHART,
            "applications/tap/values.yaml": {"cadc-tap": {"ingress": {"path": "tap"}, "config": {"backend": "qserv"}}},
            "applications/tap/values-test.yaml": {"cadc-tap": tap},
            **{f"applications/{name}/values-test.yaml": values for name, values in others.items()},
        },
    )
    return application.load_enabled(root, environment.load(root, "test"))


def doubts(root: Path, tap: dict[str, Any], **others: Any) -> list[str]:
    return list(tap_services.doubts(root, load(root, tap, **others)))


def addresses(root: Path, tap: dict[str, Any], **others: Any) -> dict[str, tuple[str, ...]]:
    found = databases.external(root, load(root, tap, **others))
    return {each.address: each.applications for each in found}


def qserv(host: str) -> dict[str, Any]:
    return {"config": {"qserv": {"host": host}}}


@pytest.mark.parametrize(
    ("tap", "expected"),
    [
        (qserv("192.0.2.10:30040"), "192.0.2.10:30040"),
        (qserv("qserv.example.org"), "qserv.example.org:3306"),
        ({"config": {"backend": "pg", "pg": {"host": "db.example.org"}}}, "db.example.org:5432"),
        ({"tapSchema": {"type": "external", "external": {"host": "192.0.2.11", "port": 5433}}}, "192.0.2.11:5433"),
    ],
)
def test_the_databases_of_a_tap_service_are_found(tmp_path: Path, tap: dict[str, Any], expected: str) -> None:
    assert addresses(tmp_path, tap) == {expected: ("tap",)}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgresql://gafaelfawr@db.example.org/gafaelfawr", "db.example.org:5432"),
        ("postgresql+asyncpg://gafaelfawr@[2001:db8::1]:6432/gafaelfawr", "[2001:db8::1]:6432"),
    ],
)
def test_the_database_of_a_url_is_found_once(tmp_path: Path, url: str, expected: str) -> None:
    hub = {"jupyterhub": {"hub": {"db": {"url": url}}}}
    assert addresses(tmp_path, {}, gafaelfawr={"config": {"databaseUrl": url}}, nublado=hub) == {
        expected: ("gafaelfawr", "nublado")
    }


def test_a_database_that_one_application_uses_twice_has_all_its_users(tmp_path: Path) -> None:
    external = {"type": "external", "external": {"host": "db.example.org"}}
    tap = {**qserv(""), "tapSchema": external, "uws": external}
    values = {"config": {"databaseUrl": "postgresql://a@db.example.org/a"}}
    assert addresses(tmp_path, tap, gafaelfawr=values) == {"db.example.org:5432": ("gafaelfawr", "tap")}


@pytest.mark.parametrize("host", ["postgres.postgres", "mock-db", "gf-db-rw.gafaelfawr-db.svc.cluster.local", ""])
def test_databases_in_the_cluster_are_not_external(tmp_path: Path, host: str) -> None:
    values = {"config": {"databaseUrl": f"postgresql://user@{host}/db" if host else None}}
    assert addresses(tmp_path, qserv("mock-db:3306"), gafaelfawr=values) == {}


def test_a_password_in_a_url_is_in_no_text(tmp_path: Path) -> None:
    values = {"config": {"databaseUrl": "postgresql://user:planted@db.example.org/db"}}
    (found,) = databases.external(tmp_path, load(tmp_path, {}, gafaelfawr=values))
    assert "planted" not in repr(found)


def test_the_internal_database_is_not_external(tmp_path: Path) -> None:
    values = {"config": {"internalDatabase": True, "databaseUrl": "postgresql://a@db.example.org/a"}}
    assert addresses(tmp_path, {}, gafaelfawr=values) == {}


def test_a_simulated_qserv_that_is_off_is_doubted(tmp_path: Path) -> None:
    (problem,) = doubts(tmp_path, {})
    assert problem == (
        "applications/tap/values-test.yaml: cadc-tap.config.qserv.host: is mock-db:3306, the simulated Qserv, but "
        "cadc-tap.mockdb.enabled is false: expected host and port of a Qserv, for example 192.0.2.10:4040, or "
        "mockdb.enabled: true (docs/howto/external-databases.md)"
    )


@pytest.mark.parametrize(
    "tap", [qserv("192.0.2.10:4040"), {"mockdb": {"enabled": True}}, {"config": {"kafka": {"enabled": True}}}]
)
def test_a_tap_service_with_a_database_is_accepted(tmp_path: Path, tap: dict[str, Any]) -> None:
    assert doubts(tmp_path, tap) == []


def test_cloud_sql_without_an_instance_is_doubted(tmp_path: Path) -> None:
    cloud = {**qserv("192.0.2.10"), "uws": {"type": "cloudsql"}}
    (problem,) = doubts(tmp_path, cloud)
    assert problem.startswith(
        "applications/tap/values-test.yaml: cadc-tap.uws.type: is cloudsql, but cadc-tap.cloudsql"
    )
    assert doubts(tmp_path, {**cloud, "cloudsql": {"instanceConnectionName": "a:b:c"}}) == []


def test_the_portal_lists_only_services_that_exist(tmp_path: Path) -> None:
    tap = qserv("192.0.2.10")
    assert doubts(tmp_path, tap, portal={"config": {"ssotap": "tap", "livetap": ""}}) == []
    (problem,) = doubts(tmp_path, tap, portal={"config": {"ssotap": "ssotap"}})
    assert problem == (
        "applications/portal/values-test.yaml: config.ssotap: is 'ssotap', but no enabled application serves "
        "/api/ssotap, so queries in the Portal fail: expected the path of one, tap (tap); or remove it "
        "(docs/howto/tap-services.md)"
    )


def test_pods_of_the_portal_share_their_work_area(tmp_path: Path) -> None:
    def portal(replicas: int, volume: dict[str, Any]) -> dict[str, Any]:
        return {"replicaCount": replicas, "config": {"volumes": {"sharedWorkarea": volume}}}

    tap = qserv("192.0.2.10")
    unshared: dict[str, Any] = {"hostPath": {}, "nfs": {}, "pvc": {}}
    assert doubts(tmp_path, tap, portal=portal(1, unshared)) == []
    assert doubts(tmp_path, tap, portal=portal(2, {**unshared, "nfs": {"path": "/a", "server": "b"}})) == []
    (problem,) = doubts(tmp_path, tap, portal=portal(2, unshared))
    assert problem.startswith("applications/portal/values-test.yaml: replicaCount: is 2, expected 1 as long as")
