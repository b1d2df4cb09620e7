"""The alerts, evaluated by Prometheus itself with given series."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from components.monitoring import rules
from sandbox.cloud import packages

UNHEALTHY: Final = 'argocd_app_info{name="nublado", health_status="Degraded", sync_status="Synced", pod="a"}'
HEALTHY: Final = 'argocd_app_info{name="tap", health_status="Healthy", sync_status="Synced", pod="a"}'
BALANCER: Final = 'openstack_loadbalancer_loadbalancer_status{name="kube_service_1_ingress-nginx_a", '
EXPORT: Final = 'device="10.20.0.10:/data", fstype="nfs4", instance="node"'
SOON: Final = 10 * 86400
"""Seconds after the beginning of the series."""


def series(metric: str, value: float = 1, minutes: int = 180) -> dict[str, str]:
    """Return a series with one value in each minute."""
    return {"series": metric, "values": f"{value}x{minutes}"}


CASES: Mapping[str, tuple[list[dict[str, str]], set[str]]] = {
    "no exporter": ([], set()),
    "healthy": (
        [
            series(HEALTHY),
            series(f'{BALANCER}operating_status="ONLINE", provisioning_status="ACTIVE"}}', 0),
            series("vault_core_unsealed"),
            series(f"node_filesystem_avail_bytes{{{EXPORT}}}", 50),
            series(f"node_filesystem_size_bytes{{{EXPORT}}}", 100),
            series('certmanager_certificate_expiration_timestamp_seconds{name="tls", namespace="rsp"}', 10 * SOON),
            series('certmanager_certificate_expiration_timestamp_seconds{name="new", namespace="rsp"}', 0),
            series('openstack_cinder_volume_status{name="rsp-test-nfs-data", status="in-use"}', 5),
        ],
        set(),
    ),
    "application": ([series(UNHEALTHY), series(HEALTHY)], {"RspApplicationUnhealthy"}),
    # Each series is short, but the application is never healthy.
    "changing reason": (
        [
            {"series": UNHEALTHY, "values": "1x60 stale"},
            {"series": UNHEALTHY.replace("Degraded", "Missing"), "values": "_x60 1x120"},
        ],
        {"RspApplicationUnhealthy"},
    ),
    "not synced": ([series(HEALTHY.replace("Synced", "OutOfSync"))], {"RspApplicationNotSynced"}),
    "load balancer": (
        [series(f'{BALANCER}operating_status="ERROR", provisioning_status="ERROR"}}', 3)],
        {"RspLoadBalancerFailed"},
    ),
    "member": (
        [series(f'{BALANCER}operating_status="DEGRADED", provisioning_status="ACTIVE"}}', -1)],
        {"RspLoadBalancerDegraded"},
    ),
    "another's load balancer": (
        [series('openstack_loadbalancer_loadbalancer_status{name="other", operating_status="ERROR"}', 3)],
        set(),
    ),
    "certificate": (
        [
            series('certmanager_certificate_expiration_timestamp_seconds{name="tls", namespace="rsp"}', SOON),
            series('certmanager_certificate_ready_status{name="tls", namespace="rsp", condition="False"}'),
        ],
        {"RspCertificateExpires", "RspCertificateNotReady"},
    ),
    "served certificate": (
        [series('nginx_ingress_controller_ssl_expire_time_seconds{host="rsp.example.org"}', SOON / 2)],
        {"RspServedCertificateExpires"},
    ),
    "nearly full": (
        [
            series(f"node_filesystem_avail_bytes{{{EXPORT}}}", 5),
            series(f"node_filesystem_size_bytes{{{EXPORT}}}", 100),
        ],
        {"RspNfsNearlyFull"},
    ),
    "volume": (
        [series('openstack_cinder_volume_status{name="rsp-test-nfs-data", status="error_backing-up"}', 13)],
        {"RspVolumeFailed"},
    ),
    "vault": ([series('vault_core_unsealed{instance="vault"}', 0)], {"RspVaultSealed"}),
    "server errors": (
        [
            {"series": 'nginx_ingress_controller_requests{status="200"}', "values": "0+90x180"},
            {"series": 'nginx_ingress_controller_requests{status="502"}', "values": "0+10x180"},
        ],
        {"RspServerErrors"},
    ),
}
"""Series, and the alerts that they cause after three hours."""


@pytest.fixture(scope="module", autouse=True)
def _prometheus() -> None:
    packages.install(lambda _: None, packages.OF_TESTS)


@pytest.fixture(scope="module")
def rule_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with the rules of a stack."""
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(yaml.safe_dump(rules("test")))
    return file


def promtool(*arguments: str) -> None:
    done = subprocess.run(("promtool", *arguments), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_valid(rule_file: Path) -> None:
    promtool("check", "rules", str(rule_file))


def test_series_cause_their_alerts_and_no_others(rule_file: Path, tmp_path: Path) -> None:
    names = [rule["alert"] for group in rules("test")["groups"] for rule in group["rules"]]
    tested = [_test(name, given, expected, names) for name, (given, expected) in CASES.items()]
    file = tmp_path / "tests.yaml"
    file.write_text(yaml.safe_dump({"rule_files": [str(rule_file)], "tests": tested}))
    promtool("test", "rules", str(file))


def _test(name: str, given: list[dict[str, str]], expected: set[str], alerts: list[str]) -> dict[str, Any]:
    # The number of firing alerts is compared, as their labels and texts would only repeat the rules.
    samples = [
        {
            "expr": f'count(ALERTS{{alertname="{alert}", alertstate="firing"}}) or vector(0)',
            "eval_time": "175m",
            "exp_samples": [{"labels": "{}", "value": int(alert in expected)}],
        }
        for alert in alerts
    ]
    return {"name": name, "interval": "1m", "input_series": given, "promql_expr_test": samples}
