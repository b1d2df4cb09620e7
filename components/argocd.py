from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.core.v1 import Namespace
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.argoproj import AppProject
from components.bootstrap_release import bootstrap_release
from phalanx.charts import Manifest
from phalanx.source import BootstrapChart

ARGOCD = "argocd"
"""The application, its release and its namespace."""


@dataclass(frozen=True, kw_only=True)
class ArgoCdArgs:
    """What ``ArgoCd`` is made from."""

    chart: BootstrapChart
    """The chart of Argo CD in the checkout, which wraps the official one."""
    namespace: Mapping[str, Any]
    """Metadata of its namespace."""
    projects: Mapping[str, Manifest]
    """The AppProjects by name, as Phalanx renders them."""
    host: str
    """Host name of the platform, under which Argo CD is reached too."""
    timeout: int
    """Seconds to wait for Argo CD."""


class ArgoCd(pulumi.ComponentResource):
    """Argo CD and the projects of its Applications.

    The Applications' projects are there before the first Application is: Phalanx's installer, which makes them by an
    Application, must try again until they are.
    """

    url: pulumi.Output[str]
    """Where people find Argo CD."""

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ArgoCd", name, {}, opts)
        child = ResourceOptions(parent=self)

        namespace = Namespace(f"{name}-namespace", metadata=ObjectMetaArgs(**args.namespace), opts=child)
        release = bootstrap_release(
            f"{name}-release",
            ARGOCD,
            args.chart,
            timeout=args.timeout,
            opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[namespace])),
        )
        for project, manifest in args.projects.items():
            AppProject(
                f"{name}-{project}",
                metadata=manifest["metadata"],
                spec=manifest["spec"],
                # The release brings the kinds that Argo CD defines.
                opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[release])),
            )
        self.url = pulumi.Output.from_input(f"https://{args.host}/argo-cd")
        self.register_outputs({"url": self.url})
