from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource
from pulumi_kubernetes.core.v1 import Namespace, Secret
from pulumi_kubernetes.meta.v1 import ObjectMetaArgs

from components.argoproj import API_VERSION
from components.bootstrap_release import bootstrap_release
from phalanx.charts import Manifest
from phalanx.source import BootstrapChart

ARGOCD = "argocd"
"""Name of the application, its release and its namespace."""

REPOSITORY_SECRET = "phalanx-repository"  # noqa: S105  # a name
"""Name of the Secret with the credentials of the Phalanx repository. Those that Argo CD's chart and its CLI create are
called argocd-repo-NAME and repo-HASH."""


@dataclass(frozen=True, kw_only=True)
class RepositoryArgs:
    """A private Git repository, for Argo CD."""

    url: str
    """URL, as in the Applications."""
    credentials: Mapping[str, pulumi.Input[str]] = field(repr=False)
    """Keys of the Secret with the credentials: username and password, or sshPrivateKey (secret)."""


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
    """Host name of the platform, which also serves Argo CD."""
    repository: RepositoryArgs | None
    """The Phalanx repository, if it is private."""
    timeout: int
    """Seconds to wait until Argo CD is ready."""


class ArgoCd(pulumi.ComponentResource):
    """Argo CD and the AppProjects of its Applications.

    The AppProjects exist before the first Application. Phalanx's installer instead creates them with an Application,
    and has to retry.
    """

    url: pulumi.Output[str]
    """URL of Argo CD."""

    def __init__(self, name: str, args: ArgoCdArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:ArgoCd", name, None, opts)
        child = ResourceOptions(parent=self)

        namespace = Namespace(f"{name}-namespace", metadata=ObjectMetaArgs(**args.namespace), opts=child)
        in_namespace = ResourceOptions.merge(child, ResourceOptions(depends_on=[namespace]))
        if args.repository:
            self._repository(name, args.repository, in_namespace)
        release = bootstrap_release(f"{name}-release", ARGOCD, args.chart, timeout=args.timeout, opts=in_namespace)
        for project, manifest in args.projects.items():
            CustomResource(
                f"{name}-{project}",
                api_version=API_VERSION,
                kind="AppProject",
                metadata=manifest["metadata"],
                spec=manifest["spec"],
                # The release contains the CustomResourceDefinitions.
                opts=ResourceOptions.merge(child, ResourceOptions(depends_on=[release])),
            )
        self.url = pulumi.Output.from_input(f"https://{args.host}/argo-cd")
        self.register_outputs({"url": self.url})

    @staticmethod
    def _repository(name: str, repository: RepositoryArgs, opts: ResourceOptions) -> None:
        """Create the Secret from which Argo CD takes the credentials of the repository.

        Argo CD finds it by its label (https://argo-cd.readthedocs.io/en/stable/operator-manual/declarative-setup/). It
        belongs to no Application, so Argo CD never prunes it.
        """
        Secret(
            f"{name}-repository",
            metadata=ObjectMetaArgs(
                name=REPOSITORY_SECRET,
                namespace=ARGOCD,
                labels={"argocd.argoproj.io/secret-type": "repository"},
            ),
            type="Opaque",
            string_data={
                "type": "git",
                "url": repository.url,
                **{key: pulumi.Output.secret(value) for key, value in repository.credentials.items()},
            },
            opts=opts,
        )
