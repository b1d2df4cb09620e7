from pathlib import Path
from typing import Any

import pytest
import yaml

from phalanx import application, environment, environment_schema, lint
from tests.unit.phalanx.repository import SETTINGS, write

ENVIRONMENT = "environments/values-test.yaml"
TAP = "applications/tap/values-test.yaml"


def check(root: Path, files: dict[str, Any], **settings: Any) -> list[str]:
    names = {path.split("/")[1] for path in files if path.startswith("applications/")}
    defaults = {"environments/values.yaml": SETTINGS | {"applications": dict.fromkeys(sorted(names), True)}}
    write(root, defaults | {ENVIRONMENT: {"name": "test", **settings}} | files)
    found = environment.load(root, "test")
    return lint.check(root, found, application.load_enabled(root, found))


def tap(template: str, base: Any, own: Any, *dependencies: dict[str, str]) -> dict[str, Any]:
    """Return the files of an application."""
    return {
        "applications/tap/Chart.yaml": {"name": "tap", "dependencies": list(dependencies)},
        "applications/tap/values.yaml": base,
        TAP: own,
        "applications/tap/templates/map.yaml": template,
    }


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ({"gcp": {"projectId": "a", "region": "b"}}, "gcp.clusterName: is missing"),
        ({"gcp": {"projectId": "a", "region": "b", "clusterName": "c", "zone": "d"}}, "gcp.zone: is not a known key"),
        ({"controlSystem": {"imageTag": 5}}, "controlSystem.imageTag: must be text: put it in quotes (5 is a number)"),
        ({"onepassword": {"connectUrl": "vault", "vaultTitle": "a"}}, "onepassword.connectUrl: Input should be a"),
        ({"butlerServerRepositories": {"dp1": "dp1"}}, "butlerServerRepositories.dp1: Input should be a valid URL"),
    ],
)
def test_settings_are_compared_with_phalanxs_schema(tmp_path: Path, settings: dict[str, Any], problem: str) -> None:
    (found,) = check(tmp_path, {}, **settings)
    assert found.startswith(f"{ENVIRONMENT}: {problem}")


def test_settings_of_the_schema_are_valid(tmp_path: Path) -> None:
    settings = {
        "onepassword": {"connectUrl": "", "vaultTitle": ""},
        "controlSystem": {"s3EndpointUrl": "https://s3.example.org", "kafkaTopicReplicationFactor": 3},
        "butlerServerRepositories": {"dp1": "https://example.org/butler.yaml"},
    }
    assert check(tmp_path, {}, **settings) == []
    assert settings.keys() <= environment_schema.SETTINGS


def test_a_misspelled_value_is_reported_with_the_known_one(tmp_path: Path) -> None:
    files = tap("{{ .Values.config.appLinks }}", {"config": {"appLinks": []}}, {"config": {"applinks": [1]}})
    assert check(tmp_path, files) == [
        (
            f"{TAP}: config.applinks: has no effect: expected a value of applications/tap/values.yaml, or one that the "
            "chart's templates read; remove it; did you mean appLinks?"
        )
    ]


def test_a_value_outside_of_its_dependency_is_reported(tmp_path: Path) -> None:
    redis = {"name": "redis", "repository": "https://charts.example.org"}
    files = tap("kind: Secret", {"redis": {"a": 1}}, {"controller": {"kind": "DaemonSet"}, "redis": {"b": 1}}, redis)
    (problem,) = check(tmp_path, files)
    assert problem.startswith(f"{TAP}: controller: has no effect")


def test_a_value_of_a_chart_of_the_checkout_is_compared_with_that_chart(tmp_path: Path) -> None:
    shared = {"name": "shared", "alias": "again", "repository": "file://../../charts/shared"}
    files = tap("", {}, {"again": {"known": 2, "lost": 1}}, shared) | {
        "charts/shared/Chart.yaml": {"name": "shared"},
        "charts/shared/values.yaml": {"known": 1},
        "charts/shared/templates/map.yaml": "{{ .Values.known }}",
    }
    (problem,) = check(tmp_path, files)
    assert problem.startswith(f"{TAP}: again.lost: has no effect: expected a value of charts/shared/values.yaml")


@pytest.mark.parametrize(
    ("template", "base", "own"),
    [
        ("{{ .Values.other }}", {"a": 1}, {"other": 2}),
        ('{{ index .Values "other" }}', {}, {"other": 2}),
        ("{{ toYaml .Values.config | nindent 4 }} {{ .Values.config.a }}", {"config": {"a": 1}}, {"config": {"b": 2}}),
        ("{{ range .Values.env }}{{ . }}{{ end }} a", {"env": {"a": 1}}, {"env": {"B": 2}}),
        ("{{ include `x` .Values.env }}", {"env": {"A": 1}}, {"env": {"B": 2}}),
        ("{{ .Values.config.a }}", {"config": {"a": {}}}, {"config": {"a": {"b": 1}}}),
        ("{{ .Values.a }}", {"a": 1}, {"x-anchors": {"b": 1}, "global": {"host": "a"}, "a": 3}),
    ],
)
def test_values_that_may_be_read_are_not_reported(tmp_path: Path, template: str, base: Any, own: Any) -> None:
    assert check(tmp_path, tap(template, base, own)) == []


def argocd(host: str, url: str) -> dict[str, Any]:
    values = {"argo-cd": {"server": {"ingress": {"hostname": host}}, "configs": {"cm": {"url": url}}}}
    return {"applications/argocd/values-test.yaml": values}


def test_hosts_of_another_platform_are_reported(tmp_path: Path) -> None:
    assert check(tmp_path, argocd("rsp.example.org", "https://rsp.example.org/argo-cd")) == []
    wrong_host, wrong_url = check(tmp_path, argocd("rsp.example.com", "https://other.example.org/argo-cd"))
    assert wrong_host == (
        "applications/argocd/values-test.yaml: argo-cd.server.ingress.hostname: is 'rsp.example.com', expected "
        f"'rsp.example.org', as fqdn in {ENVIRONMENT} is rsp.example.org: otherwise Argo CD's Ingress does not answer "
        "at the platform's name"
    )
    assert wrong_url == (
        "applications/argocd/values-test.yaml: argo-cd.configs.cm.url: is 'https://other.example.org/argo-cd', "
        f"expected 'https://rsp.example.org/argo-cd', as fqdn in {ENVIRONMENT} is rsp.example.org: otherwise logins to "
        "Argo CD are redirected to another host"
    )


def test_a_redirect_of_dex_to_another_host_is_reported(tmp_path: Path) -> None:
    def files(host: str) -> dict[str, Any]:
        connector = {"type": "google", "config": {"redirectURI": f"https://{host}/argo-cd/api/dex/callback"}}
        settings = {
            "url": "https://rsp.example.org/argo-cd",
            "dex.config": yaml.safe_dump({"connectors": [{"type": "github", "config": {}}, connector]}),
        }
        rbac = {"policy.default": "role:readonly"}
        return {"applications/argocd/values-test.yaml": {"argo-cd": {"configs": {"cm": settings, "rbac": rbac}}}}

    assert check(tmp_path, files("rsp.example.org")) == []
    (problem,) = check(tmp_path, files("other.example.org"))
    assert problem.startswith(
        "applications/argocd/values-test.yaml: argo-cd.configs.cm.dex.config: is "
        "'https://other.example.org/argo-cd/api/dex/callback', expected 'https://rsp.example.org/argo-cd/api/dex/"
    )


@pytest.mark.parametrize("text", ["connectors: [", "- a", "connectors: {}", "connectors: [1]"])
def test_a_malformed_configuration_of_dex_is_reported(tmp_path: Path, text: str) -> None:
    values = {"argo-cd": {"configs": {"cm": {"dex.config": text}}}}
    (problem,) = check(tmp_path, {"applications/argocd/values-test.yaml": values})
    assert problem.startswith("applications/argocd/values-test.yaml: argo-cd.configs.cm.dex.config: is ignored: expect")


def test_an_ingress_with_the_name_of_another_environment_is_reported(tmp_path: Path) -> None:
    def files(host: str) -> dict[str, Any]:
        values = {"chronograf": {"ingress": {"hostname": host}}}
        return {
            "applications/sasquatch/values.yaml": values,
            "applications/sasquatch/values-test.yaml": values,
            "environments/values-other.yaml": {"name": "other", "fqdn": "other.example.org"},
            "environments/values-broken.yaml": "fqdn: [",
        }

    assert check(tmp_path, files("rsp.example.org")) == []
    assert check(tmp_path, files("kafka.example.org")) == []
    (problem,) = check(tmp_path, files("other.example.org"))
    assert problem == (
        "applications/sasquatch/values-test.yaml: chronograf.ingress.hostname: is 'other.example.org', expected "
        f"'rsp.example.org', as fqdn in {ENVIRONMENT} is rsp.example.org: otherwise the Ingress answers at the name of "
        "the environment other"
    )


@pytest.mark.parametrize("key", ["enable-health-monitor", "loadbalancer.openstack.org/proxy-protocol"])
def test_annotations_among_the_settings_of_nginx_are_reported(tmp_path: Path, key: str) -> None:
    values = {"ingress-nginx": {"controller": {"config": {"use-proxy-protocol": "false", key: "false"}}}}
    (problem,) = check(tmp_path, {"applications/ingress-nginx/values-test.yaml": values})
    name = key.rpartition("/")[2]
    assert problem == (
        f"applications/ingress-nginx/values-test.yaml: ingress-nginx.controller.config.{key}: has no effect, as NGINX "
        "has no such setting: expected an annotation of the load balancer's Service, "
        f"ingress-nginx.controller.service.annotations: {{loadbalancer.openstack.org/{name}: ...}}; remove the setting"
    )
