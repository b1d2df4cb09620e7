"""The health checks of a stack: which there are, and what each one requires."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import TYPE_CHECKING

from config.names import cloud_name
from config.stack_config import StackConfig
from operations import needed_secrets, secrets_status
from operations.secrets_status import SecretState
from phalanx import application, databases, source
from phalanx.checkout import Checkout
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from probes import cluster_access, openstack_services
from probes.health import (
    applications,
    backups,
    cloud,
    kubernetes,
    load_balancer,
    magnum,
    platform,
    pods,
    servers,
    shares,
    vault,
    volumes,
)
from probes.health import databases as database_health
from probes.health.check import Check, Shared
from probes.health.finding import Finding, State, critical, ok, unknown
from probes.kubernetes_api import KubernetesApi
from probes.openstack_connection import connect, first_line
from probes.problem import Problem
from recovery.document import resources, reveal
from recovery.pulumi_stack import PulumiStack
from wiring.application_values import application_values

if TYPE_CHECKING:
    from openstack.connection import Connection

PHALANX = "Phalanx repository"

_CLUSTER_TYPE = "openstack:containerinfra/cluster:Cluster"
_STATE_TIMEOUT = 20.0
"""Seconds for Pulumi's backend to provide the state."""
_MAX_NAMES = 5
"""Maximum number of missing secrets that are named."""


class UnavailableError(PhalanxError):
    """A service, or what it should provide, is not available."""


@dataclass(frozen=True)
class Stack:
    """What the checks of a stack use. Each value is made by the first check that uses it, and shared by all.

    Attributes:
        name: Name of the stack.
        config: Its configuration.
        connect_to: Address and port at which to reach the platform instead of its name; then the DNS is not checked.
    """

    name: str
    config: StackConfig
    connect_to: tuple[str, int] | None = None

    @cached_property
    def connection(self) -> "Shared[Connection]":
        """Connection to the OpenStack project."""
        return Shared(self._connect)

    @cached_property
    def phalanx(self) -> Shared[tuple[Checkout, Environment]]:
        """Checkout of the Phalanx repository, and the environment's settings in it."""
        settings = self.config.phalanx
        credentials = None if settings.sealed else settings.git_credentials
        return Shared(lambda: source.locate(settings.repository, settings.revision, settings.environment, credentials))

    @cached_property
    def kubeconfig(self) -> Shared[str]:
        """The program's kubeconfig, from the stack's state."""
        return Shared(self._kubeconfig)

    @cached_property
    def kubernetes(self) -> Shared[KubernetesApi]:
        """Client for the cluster."""
        return Shared(self._kubernetes)

    @property
    def environment(self) -> Environment:
        """The Phalanx environment."""
        return self.phalanx()[1]

    @property
    def vault_address(self) -> str:
        """URL of Vault, as this program reaches it."""
        return self.config.vault.reached_at(self.environment.vault_url)

    def named(self, name: str) -> str:
        """Return the name of a resource of the stack in OpenStack."""
        return cloud_name(self.name, name)

    def retry(self) -> None:
        """Forget what could not be made, before the checks are run again."""
        for each in (self.connection, self.phalanx, self.kubeconfig, self.kubernetes):
            each.retry()

    def _connect(self) -> "Connection":
        found = connect(self.config.cloud)
        if isinstance(found, Problem):
            raise UnavailableError(f"{found.where} {found.what}")
        return found

    def _kubeconfig(self) -> str:
        document = PulumiStack(self.name, timeout=_STATE_TIMEOUT).export(secrets=True)
        for each in resources(document):
            if each["type"] == _CLUSTER_TYPE:
                return str(reveal(each["outputs"])["kubeconfig"]["raw_config"])
        raise UnavailableError("the stack's state has no cluster")

    def _kubernetes(self) -> KubernetesApi:
        try:
            kubeconfig = self.kubeconfig()
        except PhalanxError:
            kubeconfig = cluster_access.kubeconfig(self.connection(), self.named(self.config.active))
        return KubernetesApi(kubeconfig)


def all_checks(stack: Stack) -> list[Check]:
    """Return the checks of a stack in the order in which they are shown."""
    return [*_of_openstack(stack), *_of_vault(stack), *_of_kubernetes(stack), *_of_platform(stack)]


def _of_openstack(stack: Stack) -> Iterator[Check]:
    connection, name, config = stack.connection, stack.name, stack.config
    yield Check(
        name=cloud.KEYSTONE,
        run=lambda: cloud.keystone(connection()),
        remedy="`openstack token issue` must work; ask the cloud's administrators",
        failure=State.CRITICAL,
    )
    for each in openstack_services.required(config):
        yield Check(
            name=each.name,
            run=lambda each=each: cloud.service(connection(), each),  # type: ignore[misc]
            requires=(cloud.KEYSTONE,),
            remedy="ask the cloud's administrators",
            failure=State.CRITICAL,
        )
    yield Check(
        name="quotas",
        run=lambda: cloud.quotas(connection(), config, name),
        requires=(cloud.KEYSTONE, "Nova", "Cinder", "Neutron", "Octavia"),
    )
    yield Check(
        name=magnum.CLUSTER,
        run=lambda: magnum.cluster(connection(), stack.named(config.active)),
        requires=(cloud.KEYSTONE, "Magnum"),
    )
    yield Check(
        name="servers of the nodes",
        run=lambda: servers.nodes(connection(), config, name),
        requires=(cloud.KEYSTONE, "Nova"),
    )
    if settings := config.nfs:
        yield Check(
            name="NFS server",
            run=lambda: servers.nfs(connection(), settings, name),
            requires=(cloud.KEYSTONE, "Nova", "Cinder"),
        )
    if config.shares:
        yield Check(
            name="shares",
            run=lambda: shares.check(connection(), config.shares, name),
            requires=(cloud.KEYSTONE, "Manila"),
        )
    yield Check(
        name=backups.BACKUPS,
        run=lambda: backups.check(connection(), config, name, datetime.now(UTC)),
        requires=(cloud.KEYSTONE, "Cinder"),
    )
    yield Check(
        name=load_balancer.INGRESS,
        run=lambda: load_balancer.ingress(connection(), config, name),
        requires=(cloud.KEYSTONE, "Octavia", "Neutron"),
    )
    yield Check(
        name=load_balancer.API,
        run=lambda: load_balancer.api(connection(), stack.named(config.active)),
        requires=(cloud.KEYSTONE, "Magnum", "Octavia", "Neutron"),
    )


def _of_vault(stack: Stack) -> Iterator[Check]:
    config = stack.config
    yield Check(
        name=PHALANX,
        run=lambda: _phalanx(stack),
        remedy="check rsp:phalanx, and the access of this machine to the repository",
        failure=State.CRITICAL,
    )
    yield Check(
        name=vault.VAULT,
        run=lambda: vault.vault(stack.vault_address, config.vault.ca_file),
        requires=(PHALANX,),
        remedy="docs/howto/on-call.md#vault",
        failure=State.CRITICAL,
    )
    yield Check(name=vault.SECRETS, run=lambda: _secrets(stack), requires=(vault.VAULT, PHALANX))


def _of_kubernetes(stack: Stack) -> Iterator[Check]:
    client, config = stack.kubernetes, stack.config
    on = pods.Dependencies(
        nfs_address=str(config.nfs.address) if config.nfs else None,
        nfs=(
            *([servers.subject(stack.named("nfs"))] if config.nfs else []),
            *(shares.subject(name) for name, share in config.shares.items() if share.protocol == "NFS"),
        ),
        secrets=(vault.VAULT, vault.SECRETS, vault.COPIES),
    )
    yield Check(name=kubernetes.KUBECONFIG, run=lambda: _kubeconfig(stack))
    yield Check(
        name=kubernetes.API,
        run=lambda: _kubernetes_api(stack),
        requires=(kubernetes.KUBECONFIG, magnum.CLUSTER, load_balancer.API),
        remedy="docs/howto/on-call.md#the-kubernetes-api",
        failure=State.CRITICAL,
    )
    checks = {
        "nodes": lambda: kubernetes.nodes(client()),
        vault.COPIES: lambda: vault.copies(client()),
        "claims": lambda: volumes.claims(client()),
        "free space": lambda: volumes.space(client()),
        "applications": lambda: applications.check(client(), on, load_balancer.INGRESS, datetime.now(UTC)),
    }
    for name, run in checks.items():
        yield Check(name=name, run=run, requires=(kubernetes.API,))


def _of_platform(stack: Stack) -> Iterator[Check]:
    if stack.connect_to is None:
        yield Check(
            name=platform.DNS,
            run=lambda: platform.dns(stack.environment.fqdn, _address(stack)),
            requires=(PHALANX,),
        )
    yield Check(name="external databases", run=lambda: _databases(stack), requires=(PHALANX,))
    yield Check(
        name=platform.HTTPS,
        run=lambda: platform.https(stack.environment.fqdn, stack.connect_to),
        requires=(PHALANX, platform.DNS),
    )


def _phalanx(stack: Stack) -> Iterator[Finding]:
    checkout, environment = stack.phalanx()
    yield ok(PHALANX, f"environment {environment.name} at {checkout.commit[:8]}", checkout.commit[:8])


def _databases(stack: Stack) -> Iterator[Finding]:
    tree, environment = stack.phalanx()
    trees = source.other_revisions(tree, environment, stack.config.applications.revisions)
    roots = {name: other.path for name, other in trees.items()}
    applications = application.load_enabled(tree.path, environment, application_values(stack.config), roots)
    yield from database_health.check(databases.external(tree.path, applications, roots))


def _kubeconfig(stack: Stack) -> Iterator[Finding]:
    try:
        found = stack.kubeconfig()
    except PhalanxError as error:
        yield unknown(
            kubernetes.KUBECONFIG,
            f"the stack's state cannot be read: {first_line(error)}",
            "`pulumi login`, and set PULUMI_CONFIG_PASSPHRASE_FILE",
        )
    else:
        yield from kubernetes.program_kubeconfig(found)


def _kubernetes_api(stack: Stack) -> Iterator[Finding]:
    from openstack.exceptions import SDKException  # noqa: PLC0415  # slow to import

    try:
        client = stack.kubernetes()
    except (PhalanxError, SDKException) as error:
        # Without a kubeconfig in the state, Magnum has to sign a certificate.
        text = f"no access without the state's kubeconfig: {first_line(error)}"
        causes = (cloud.KEYSTONE, "Magnum", magnum.CLUSTER)
        yield unknown(kubernetes.API, text, "docs/howto/kubectl.md", causes)
        return
    yield from kubernetes.api(client)


def _secrets(stack: Stack) -> Iterator[Finding]:
    status = f"`python -m operations secrets status -s {stack.name}`"
    stack.phalanx()
    needed = needed_secrets.find(stack.name)
    problems, in_vault = secrets_status.read_vault(needed)
    if in_vault is None:
        text = "\n".join(str(each) for each in problems)
        yield unknown(vault.SECRETS, text, f"log in to Vault and set VAULT_TOKEN; {status}", (vault.VAULT,))
        return
    plan = needed.complete_plan([key for key, has_value in in_vault.items() if has_value])
    states = secrets_status.states(plan, needed.configured(), in_vault)
    missing = [str(key) for key, state in states.items() if state is SecretState.MISSING]
    if missing:
        shown = ", ".join(missing[:_MAX_NAMES])
        more = f" and {len(missing) - _MAX_NAMES} more" if len(missing) > _MAX_NAMES else ""
        yield critical(vault.SECRETS, f"{len(missing)} missing: {shown}{more}", status, (vault.VAULT,))
    else:
        yield ok(vault.SECRETS, f"{len(plan)}, none missing")


def _address(stack: Stack) -> str | None:
    """Return the floating IP of the platform; None if it does not exist or Neutron does not answer."""
    from keystoneauth1.exceptions import ClientException  # noqa: PLC0415  # slow to import
    from openstack.exceptions import SDKException  # noqa: PLC0415

    try:
        return load_balancer.ingress_address(stack.connection(), stack.config, stack.name)
    except (UnavailableError, ClientException, SDKException):
        return None
