import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.helm.v3 import Release

from phalanx.source import BootstrapChart


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
