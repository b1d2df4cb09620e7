from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure
from openstack.exceptions import ForbiddenException

from probes import cluster_access, monitoring_preflight
from probes.monitoring_preflight import KINDS

NAMESPACE = "/api/v1/namespaces/monitoring"


class FakeApi:
    """A Kubernetes API with some kinds and objects."""

    def __init__(self, *, kinds: tuple[str, ...] = KINDS, paths: tuple[str, ...] = (NAMESPACE,)) -> None:
        self._kinds, self._paths = kinds, paths

    def collection(self, api_version: str, kind: str, namespace: str) -> str | None:
        assert (api_version, namespace) == ("monitoring.coreos.com/v1", "monitoring")
        return f"/apis/{api_version}/{kind}" if kind in self._kinds else None

    def get(self, path: str) -> dict[str, Any] | None:
        return {} if path in self._paths else None


def missing(client: Any) -> list[str]:
    return [str(each) for each in monitoring_preflight.missing(client, "monitoring")]


def test_a_cluster_with_the_operator_is_accepted() -> None:
    assert missing(FakeApi()) == []


def test_a_cluster_without_the_operator_is_refused() -> None:
    (problem,) = missing(FakeApi(kinds=("PrometheusRule",)))
    assert problem.startswith(
        "rsp:monitoring: the cluster does not know PodMonitor (monitoring.coreos.com/v1): install"
    )


def test_a_missing_namespace_is_refused() -> None:
    (problem,) = missing(FakeApi(paths=()))
    assert problem.startswith("rsp:monitoring.namespace: the cluster has no namespace `monitoring`")


def test_a_cluster_that_does_not_exist_cannot_have_the_operator() -> None:
    connection: Any = SimpleNamespace()
    (problem,) = monitoring_preflight.problems(connection, "rsp-test-cluster", False, "monitoring")
    assert problem.fatal
    assert "run `pulumi up` without this section first" in problem.what


@pytest.mark.parametrize("error", [ForbiddenException("certificate:create"), ConnectFailure("certificate:create")])
def test_without_a_certificate_a_warning_remains(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    monkeypatch.setattr(cluster_access, "kubeconfig", Mock(side_effect=error))
    connection: Any = SimpleNamespace()
    (problem,) = monitoring_preflight.problems(connection, "rsp-test-cluster", True, "monitoring")
    assert not problem.fatal
    assert "cannot be checked" in problem.what
