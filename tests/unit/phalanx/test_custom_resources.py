from phalanx import custom_resources
from phalanx.environment import Environment
from tests.unit.phalanx.repository import SETTINGS


def manifest(api_version: str, kind: str, name: str) -> dict[str, object]:
    return {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}}


MANIFESTS = [
    manifest("gafaelfawr.lsst.io/v1alpha1", "GafaelfawrIngress", "tap"),
    manifest("access.strimzi.io/v1alpha1", "KafkaAccess", "tap-kafka"),
    manifest("monitoring.coreos.com/v1", "ServiceMonitor", "elsewhere"),
    manifest("v1", "ConfigMap", "tap"),
]


def undefined(*enabled: str, users: int = 1) -> list[str]:
    environment = Environment.model_validate(SETTINGS | {"applications": dict.fromkeys(enabled, True)})
    names = [f"tap{number or ''}" for number in range(users)]
    found = [one for name in names for one in custom_resources.find(name, MANIFESTS)]
    return list(custom_resources.undefined(found, environment))


def test_custom_resources_need_the_application_that_defines_them() -> None:
    assert undefined("gafaelfawr", "strimzi-access-operator") == []
    (problem,) = undefined("gafaelfawr")
    assert problem == (
        "environments/values-test.yaml: applications.strimzi-access-operator: is false or missing, expected true: it "
        "defines the custom resources tap: KafkaAccess/tap-kafka, without which Argo CD cannot sync these applications"
    )


def test_a_message_lists_few_resources() -> None:
    (problem,) = undefined("strimzi-access-operator", users=5)
    assert problem.count("GafaelfawrIngress/tap") == 3
    assert "GafaelfawrIngress/tap and 2 more, without which" in problem
