"""The health checks of `doctor` for a cluster, and for what is in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from config.cluster import Cluster
from config.names import cloud_name
from config.resource_types import CLUSTER
from config.stack_config import StackConfig
from phalanx.errors import PhalanxError
from probes import cluster_access
from probes.health import applications, cloud, kubernetes, load_balancer, magnum, pods, servers, shares, vault, volumes
from probes.health.check import Check, Once
from probes.health.finding import Finding, State, unknown
from probes.kubernetes_api import KubernetesApi
from probes.openstack_connection import first_line, openstack_errors
from recovery.document import kubeconfig, resources
from recovery.pulumi_stack import PulumiStack

if TYPE_CHECKING:
    from openstack.connection import Connection

_STATE_TIMEOUT = 20.0
"""Timeout of reading the state from Pulumi's backend, in seconds."""


class UnavailableError(PhalanxError):
    """A service, or something that it should provide, is not available."""


@dataclass(frozen=True)
class StackCluster:
    """A cluster of a stack, and the access to it.

    Attributes:
        stack: Name of the stack.
        name: Name of the cluster in Magnum.
        connection: Connection to the OpenStack project.
        settings: Its configuration.
    """

    stack: str
    name: str
    connection: "Once[Connection]"
    settings: Cluster

    @cached_property
    def kubeconfig(self) -> Once[str]:
        """The program's kubeconfig, from the stack's state."""
        return Once(self._kubeconfig)

    @cached_property
    def kubernetes(self) -> Once[KubernetesApi]:
        """Client for the cluster."""
        return Once(self._kubernetes)

    def retry(self) -> None:
        """Forget failed connections, before the checks are run again."""
        self.kubeconfig.retry()
        self.kubernetes.retry()

    def _kubeconfig(self) -> str:
        document = PulumiStack(self.stack, timeout=_STATE_TIMEOUT).export(secrets=True)
        for each in resources(document):
            if each["type"] == CLUSTER and each["outputs"]["name"] == self.name:
                if found := kubeconfig(each):
                    return found
                raise UnavailableError(
                    f"the stack's state has no kubeconfig of {self.name}, whose creation was not completed"
                )
        raise UnavailableError(f"the stack's state has no cluster {self.name}")

    def _kubernetes(self) -> KubernetesApi:
        try:
            kubeconfig = self.kubeconfig()
        except PhalanxError:
            kubeconfig = cluster_access.kubeconfig(self.connection(), self.name)
        return KubernetesApi(kubeconfig)


def all_checks(cluster: StackCluster, config: StackConfig) -> list[Check]:
    """Return the checks of a cluster in the order in which they are shown."""
    return [*_of_openstack(cluster, config), *_of_kubernetes(cluster, config)]


def _of_openstack(cluster: StackCluster, config: StackConfig) -> Iterator[Check]:
    connection = cluster.connection
    yield Check(
        name=magnum.CLUSTER,
        run=lambda: magnum.cluster(connection(), cluster.name),
        requires=(cloud.KEYSTONE, "Magnum"),
    )
    yield Check(
        name=magnum.API_ADDRESS,
        run=lambda: magnum.address(connection(), cluster.name, config.network.cidr, public=cluster.settings.public_api),
        requires=(cloud.KEYSTONE, "Magnum", "Neutron"),
    )
    yield Check(
        name=load_balancer.API,
        run=lambda: load_balancer.api(connection(), cluster.name),
        requires=(cloud.KEYSTONE, "Magnum", "Octavia", "Neutron"),
    )
    if config.ingress.load_balancer_provider == "ovn":
        yield Check(
            name=load_balancer.NODE_PORTS,
            run=lambda: load_balancer.node_ports(connection(), cluster.name, config.network.cidr),
            requires=(cloud.KEYSTONE, "Magnum", "Neutron"),
        )


def _of_kubernetes(cluster: StackCluster, config: StackConfig) -> Iterator[Check]:
    client = cluster.kubernetes
    on = pods.Dependencies(
        nfs_address=str(config.nfs.address) if config.nfs else None,
        nfs=(
            *([servers.subject(cloud_name(cluster.stack, "nfs"))] if config.nfs else []),
            *(shares.subject(name) for name, share in config.shares.items() if share.protocol == "NFS"),
        ),
        secrets=(vault.VAULT, vault.SECRETS, vault.COPIES),
    )
    yield Check(name=kubernetes.KUBECONFIG, run=lambda: _kubeconfig(cluster))
    yield Check(
        name=kubernetes.API,
        run=lambda: _kubernetes_api(cluster),
        requires=(kubernetes.KUBECONFIG, magnum.CLUSTER, load_balancer.API),
        remedy="docs/howto/on-call.md#the-kubernetes-api",
        failure=State.CRITICAL,
    )
    monitored = config.ingress.health_monitors or config.ingress.mode != "cloud-controller"
    checks = {
        "nodes": lambda: kubernetes.nodes(client(), monitored=monitored),
        vault.COPIES: lambda: vault.copies(client()),
        "claims": lambda: volumes.claims(client()),
        "free space": lambda: volumes.space(client()),
        "applications": lambda: applications.check(client(), on, load_balancer.INGRESS, datetime.now(UTC)),
    }
    for name, run in checks.items():
        yield Check(name=name, run=run, requires=(kubernetes.API,))


def _kubeconfig(cluster: StackCluster) -> Iterator[Finding]:
    try:
        found = cluster.kubeconfig()
    except UnavailableError as error:
        yield unknown(kubernetes.KUBECONFIG, str(error), f"`python -m operations recover -s {cluster.stack}`")
    except PhalanxError as error:
        yield unknown(
            kubernetes.KUBECONFIG,
            f"the stack's state cannot be read: {first_line(error)}",
            "`pulumi login`, and set PULUMI_CONFIG_PASSPHRASE_FILE",
        )
    else:
        yield from kubernetes.program_kubeconfig(found)


def _kubernetes_api(cluster: StackCluster) -> Iterator[Finding]:
    try:
        client = cluster.kubernetes()
    except openstack_errors(PhalanxError) as error:
        # Without a kubeconfig in the state, Magnum has to sign a certificate.
        text = f"no access without the state's kubeconfig: {first_line(error)}"
        causes = (cloud.KEYSTONE, "Magnum", magnum.CLUSTER)
        yield unknown(kubernetes.API, text, "docs/howto/kubectl.md", causes)
        return
    yield from kubernetes.api(client)
