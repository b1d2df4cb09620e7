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
"""Name of the application, its release and its namespace."""


@dataclass(frozen=True, kw_only=True)
class ArgoCdArgs:
    """Arguments of `ArgoCd`."""

    chart: BootstrapChart
    """Phalanx's chart of Argo CD, which wraps the official chart."""
    namespace: Mapping[str, Any]
    """Metadata of its namespace."""
    projects: Mapping[str, Manifest]
    """AppProjects by name, as rendered by Phalanx."""
    host: str
    """Host name of the platform, which serves Argo CD too."""
    timeout: int
    """Seconds to wait until Argo CD is ready."""


class ArgoCd(pulumi.ComponentResource):
    """Argo CD and the AppProjects of its Applications.

    The AppProjects exist before the first Application, unlike in Phalanx's installer, which creates them with an
    Application and has to retry.
    """

    url: pulumi.Output[str]
    """URL of Argo CD."""

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ArgoCd", name, None, opts)
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
                # The release contains the CustomResourceDefinitions.
                opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[release])),
            )
        self.url = pulumi.Output.from_input(f"https://{args.host}/argo-cd")
        self.register_outputs({"url": self.url})
