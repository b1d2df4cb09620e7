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
    """Install a Phalanx application once, as Phalanx's installer does; release and namespace have its name.

    Afterwards the Argo CD Application of the same name manages the release's objects: Argo CD, not Helm, applies later
    changes of the chart and its values.

    Args:
        name: Logical name.
        application: Name of the Phalanx application.
        chart: Its chart and values.
        timeout: Seconds to wait until the release is ready. A changed timeout is ignored, as Helm would create a new
            revision for it.
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
