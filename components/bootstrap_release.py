from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.helm.v3 import Release


@dataclass(frozen=True, kw_only=True)
class BootstrapChart:
    """A chart of the checkout that must be there before Argo CD can deploy anything."""

    path: str
    """Directory of the chart. The provider loads it from the recorded path at each preview, so it must be the same on
    every machine and for every commit: relative to the project."""
    values: Mapping[str, Any]
    """Values over those of the chart's own ``values.yaml``. They are kept in clear: none is secret."""


def bootstrap_release(
    name: str,
    application: str,
    chart: BootstrapChart,
    *,
    timeout: int,
    opts: ResourceOptions,
) -> Release:
    """Install a Phalanx application as Phalanx's installer does, once: release and namespace have its name.

    From then on the Application of the same name manages what the release made, so that a later change of the chart or
    its values is Argo CD's to apply and not Helm's.

    Args:
        name: Logical name.
        application: Name of the Phalanx application.
        chart: Its chart and values.
        timeout: Seconds to wait until everything in the release is ready. A release keeps the one that it was
            installed with: Helm would make a revision for another one.
        opts: Options of the release.
    """
    managed_by_argocd = ResourceOptions(ignore_changes=["values", "version", "timeout"])
    return Release(
        name,
        name=application,
        namespace=application,
        chart=chart.path,
        values=pulumi.Output.from_input(chart.values),
        timeout=timeout,
        opts=ResourceOptions.merge(opts, managed_by_argocd),
    )
