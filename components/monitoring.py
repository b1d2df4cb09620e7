from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import ConfigMap
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from phalanx import documents

API_VERSION: Final = "monitoring.coreos.com/v1"
"""API version of the Prometheus operator."""

_PLACEHOLDER: Final = "STACK"
"""Text that is replaced by the stack's name in the files beside this module."""

_SCRAPED: Final[Mapping[str, tuple[str, str, str]]] = {
    "argocd": ("argocd-application-controller", "application-controller", "metrics"),
    "cert-manager": ("cert-manager", "controller", "http-metrics"),
    "ingress-nginx": ("ingress-nginx", "controller", "metrics"),
}
"""Labels ``app.kubernetes.io/name`` and ``component`` of pods with metrics, and the name of their port, by namespace,
as in the charts argo-cd, cert-manager and ingress-nginx."""


@dataclass(frozen=True, kw_only=True)
class MonitoringArgs:
    """Arguments of `Monitoring`."""

    stack: str
    """Name of the stack, with which the names of its resources in OpenStack begin."""
    namespace: str
    """Existing namespace of all objects."""
    labels: Mapping[str, str]
    """Labels by which Prometheus selects rules and monitors."""


class Monitoring(pulumi.ComponentResource):
    """Alerts and scrape targets for Prometheus, and a dashboard for Grafana.

    The alerts and the dashboard are in ``monitoring_rules.yaml`` and ``monitoring_dashboard.json`` beside this module.
    Grafana's sidecar in kube-prometheus-stack loads ConfigMaps with the label ``grafana_dashboard``.
    """

    def __init__(self, name: str, args: MonitoringArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:Monitoring", name, None, opts)
        child = ResourceOptions(parent=self)
        _operated(f"{name}-rules", "PrometheusRule", "rsp", args, rules(args.stack), child)
        for namespace, (app, component, port) in _SCRAPED.items():
            spec = {
                "namespaceSelector": {"matchNames": [namespace]},
                "selector": {
                    "matchLabels": {"app.kubernetes.io/name": app, "app.kubernetes.io/component": component},
                },
                # Labels such as the namespace of a certificate are not replaced by those of the pod.
                "podMetricsEndpoints": [{"port": port, "honorLabels": True}],
            }
            _operated(f"{name}-{namespace}", "PodMonitor", f"rsp-{namespace}", args, spec, child)
        ConfigMap(
            f"{name}-dashboard",
            metadata=ObjectMetaArgs(name="rsp-dashboard", namespace=args.namespace, labels={"grafana_dashboard": "1"}),
            data={"rsp.json": _file("monitoring_dashboard.json", args.stack)},
            opts=child,
        )
        self.register_outputs({})


def rules(stack: str) -> dict[str, Any]:
    """Return the specification of the PrometheusRule of a stack."""
    return documents.parse_mapping(_file("monitoring_rules.yaml", stack), "monitoring_rules.yaml")


def _operated(  # noqa: PLR0913, PLR0917 - what an object consists of
    name: str, kind: str, object_name: str, args: MonitoringArgs, spec: Mapping[str, Any], opts: ResourceOptions
) -> None:
    """Create a custom resource of the Prometheus operator."""
    metadata = {"name": object_name, "namespace": args.namespace, "labels": dict(args.labels)}
    CustomResource(name, api_version=API_VERSION, kind=kind, metadata=metadata, spec=spec, opts=opts)


def _file(name: str, stack: str) -> str:
    return Path(__file__).with_name(name).read_text(encoding="utf-8").replace(_PLACEHOLDER, stack)
