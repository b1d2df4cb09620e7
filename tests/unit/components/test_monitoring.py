import json
import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from components.monitoring import Monitoring, MonitoringArgs, rules
from tests.unit.recording import ProgramRunner, Recording

EXPORTED = {
    "argocd_app_info",
    "certmanager_certificate_expiration_timestamp_seconds",
    "certmanager_certificate_ready_status",
    "kubelet_volume_stats_available_bytes",
    "kubelet_volume_stats_capacity_bytes",
    "nginx_ingress_controller_request_duration_seconds_bucket",
    "nginx_ingress_controller_requests",
    "nginx_ingress_controller_ssl_expire_time_seconds",
    "node_filesystem_avail_bytes",
    "node_filesystem_size_bytes",
    "openstack_cinder_volume_status",
    "openstack_loadbalancer_loadbalancer_status",
    "vault_core_unsealed",
}
"""Metrics of Argo CD, cert-manager, kubelet, ingress-nginx, node_exporter, openstack-exporter and Vault."""


@pytest.fixture
def recording(run_program: ProgramRunner) -> Recording:
    """Return what the component registers."""

    def program() -> None:
        provider = kubernetes.Provider("cluster", kubeconfig="{}")
        args = MonitoringArgs(stack="test", namespace="observability", labels={"release": "prometheus"})
        Monitoring("monitoring", args, pulumi.ResourceOptions(providers=[provider]))

    return run_program(program)


def metrics(expression: str) -> set[str]:
    """Return the metrics in an expression: all names with an underscore that are no labels in braces or ``by``."""
    without_labels = re.sub(r"\{[^}]*\}|by \([^)]*\)", "", expression)
    return {each for each in re.findall(r"[a-z0-9_]+", without_labels) if "_" in each and each != "histogram_quantile"}


def test_all_objects_are_in_the_namespace_with_the_labels_that_are_selected(recording: Recording) -> None:
    found = [*recording.of("PrometheusRule"), *recording.of("PodMonitor")]
    assert sorted(each.inputs["metadata"]["name"] for each in found) == [
        "rsp",
        "rsp-argocd",
        "rsp-cert-manager",
        "rsp-ingress-nginx",
    ]
    for each in found:
        assert each.inputs["metadata"]["namespace"] == "observability"
        assert each.inputs["metadata"]["labels"] == {"release": "prometheus"}
    dashboard = recording.one("ConfigMap").inputs["metadata"]
    assert (dashboard["namespace"], dashboard["labels"]) == ("observability", {"grafana_dashboard": "1"})


def test_names_of_the_stack_take_the_place_of_the_placeholder(recording: Recording) -> None:
    (dashboard,) = recording.one("ConfigMap").inputs["data"].values()
    texts = json.dumps(recording.one("PrometheusRule").inputs["spec"]), dashboard
    for text in texts:
        assert "rsp-test-.*" in text
        assert "STACK" not in text


def test_only_metrics_that_exist_are_used(recording: Recording) -> None:
    alerts = [rule for group in rules("test")["groups"] for rule in group["rules"]]
    (dashboard,) = (json.loads(text) for text in recording.one("ConfigMap").inputs["data"].values())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    used = {metric for expression in [*(each["expr"] for each in alerts), *shown] for metric in metrics(expression)}
    assert used == EXPORTED


def test_an_alert_is_silent_without_its_exporter() -> None:
    for group in rules("test")["groups"]:
        for rule in group["rules"]:
            assert "absent" not in rule["expr"], rule["alert"]
            assert rule["labels"]["severity"] in {"warning", "critical"}, rule["alert"]


def unknown(given: Any, read: Any, path: str = "") -> Iterator[str]:
    """Yield the paths in a document that are missing in what was read of it, or have another value there."""
    match given:
        case dict():
            for key, value in given.items():
                yield from unknown(value, read.get(key) if isinstance(read, dict) else None, f"{path}.{key}")
        case list() if isinstance(read, list) and len(read) == len(given):
            for index, value in enumerate(given):
                yield from unknown(value, read[index], f"{path}[{index}]")
        case _ if given != read:
            yield path


def test_grafana_knows_each_key_of_the_dashboard(recording: Recording) -> None:
    (text,) = recording.one("ConfigMap").inputs["data"].values()
    register_default_plugins()

    def ignored(dashboard: str) -> set[str]:
        given = json.loads(dashboard)
        return set(unknown(given, json.loads(JSONEncoder().encode(Dashboard.from_json(given)))))

    assert ignored(text) == set()
    # Options of the type of a panel, and of a query to Prometheus, are known, too.
    misspelled = ignored(text.replace("colorMode", "colourMode", 1).replace("legendFormat", "legend", 1))
    assert misspelled == {".panels[0].options.colourMode", ".panels[0].targets[0].legend"}


def test_panels_do_not_overlap(recording: Recording) -> None:
    (dashboard,) = (json.loads(text) for text in recording.one("ConfigMap").inputs["data"].values())
    taken: set[tuple[int, int]] = set()
    for panel in dashboard["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + across, place["y"] + down) for across in range(place["w"]) for down in range(place["h"])}
        assert place["x"] + place["w"] <= 24
        assert not taken & cells, panel["title"]
        taken |= cells
