"""The health checks of `doctor`: which there are for a stack, and what each one requires."""

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, partial
from typing import TYPE_CHECKING

from config.names import cloud_name
from config.stack_config import StackConfig
from operations import doctor_cluster_checks, needed_secrets, secrets_status
from operations.doctor_cluster_checks import StackCluster
from operations.secrets_status import SecretState
from phalanx import application, databases, source
from phalanx.checkout import Checkout
from phalanx.environment import Environment
from probes import openstack_services
from probes.health import (
    authorities,
    backups,
    cloud,
    kubernetes,
    load_balancer,
    platform,
    servers,
    shares,
    two_clusters,
    vault,
)
from probes.health import databases as database_health
from probes.health.check import Check, Once
from probes.health.finding import Finding, State, critical, ok, unknown
from probes.openstack_connection import LoginError, connect, openstack_errors
from wiring.application_values import application_values

if TYPE_CHECKING:
    from openstack.connection import Connection

PHALANX = "Phalanx repository"

_MAX_NAMES = 5
"""Maximum number of missing secrets in a message."""


@dataclass(frozen=True)
class CheckedStack:
    """A stack to check. The first check that uses a connection or a checkout makes it, and all others share it.

    Attributes:
        name: Name of the stack.
        config: Its configuration.
        connect_to: Address and port to connect to instead of the platform's name; the DNS is then not checked.
    """

    name: str
    config: StackConfig
    connect_to: tuple[str, int] | None = None

    @cached_property
    def connection(self) -> "Once[Connection]":
        """Connection to the OpenStack project."""
        return Once(lambda: connect(self.config.cloud))

    @cached_property
    def phalanx(self) -> Once[tuple[Checkout, Environment]]:
        """Checkout of the Phalanx repository, and the environment's settings in it."""
        settings = self.config.phalanx
        credentials = None if settings.sealed else settings.git_credentials
        return Once(lambda: source.locate(settings.repository, settings.revision, settings.environment, credentials))

    @cached_property
    def clusters(self) -> Mapping[str, StackCluster]:
        """The clusters by name."""
        return {
            name: StackCluster(self.name, self.named(name), self.connection, settings)
            for name, settings in self.config.clusters.items()
        }

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
        """Forget failed connections and checkouts, before the checks are run again."""
        self.connection.retry()
        self.phalanx.retry()
        for each in self.clusters.values():
            each.retry()


def all_checks(stack: CheckedStack) -> list[Check]:
    """Return the checks of a stack in the order in which they are shown."""
    shared, in_front = [*_of_openstack(stack), *_of_vault(stack)], [*_of_platform(stack)]
    inside = {name: [*doctor_cluster_checks.all_checks(each, stack.config)] for name, each in stack.clusters.items()}
    if len(inside) > 1:
        shared, in_front = ([*two_clusters.depending_on(stack.config.active, each)] for each in (shared, in_front))
        inside = {name: [*two_clusters.within(name, checks)] for name, checks in inside.items()}
    return [*shared, *itertools.chain(*inside.values()), *in_front]


def _of_openstack(stack: CheckedStack) -> Iterator[Check]:
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


def _of_vault(stack: CheckedStack) -> Iterator[Check]:
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
    yield Check(
        name=vault.CERTIFICATE, run=lambda: vault.certificate(stack.vault_address), requires=(PHALANX, vault.VAULT)
    )
    yield Check(name=vault.SECRETS, run=lambda: _secrets(stack), requires=(vault.VAULT, PHALANX))
    for key, path in (("vault", config.vault.ca_file), ("phalanx", config.phalanx.ca_file)):
        if path is not None:
            name = f"CA in rsp:{key}.caFile"
            yield Check(name=name, run=partial(authorities.check, name, path))


def _of_platform(stack: CheckedStack) -> Iterator[Check]:
    if stack.connect_to is None:
        yield Check(
            name=platform.DNS,
            run=lambda: platform.dns(stack.environment.fqdn, _address(stack)),
            requires=(PHALANX,),
        )
    if stack.config.ingress.mode == "octavia":
        yield Check(
            name=load_balancer.MEMBERS,
            run=lambda: load_balancer.nodes(
                stack.connection(), stack.clusters[stack.config.active].kubernetes(), stack.config, stack.name
            ),
            requires=(cloud.KEYSTONE, "Octavia", "Neutron", kubernetes.API),
        )
    yield Check(name="external databases", run=lambda: _databases(stack), requires=(PHALANX,))
    yield Check(
        name=platform.HTTPS,
        run=lambda: platform.https(stack.environment.fqdn, stack.connect_to),
        requires=(PHALANX, platform.DNS),
    )


def _phalanx(stack: CheckedStack) -> Iterator[Finding]:
    checkout, environment = stack.phalanx()
    yield ok(PHALANX, f"environment {environment.name} at {checkout.commit[:8]}", checkout.commit[:8])


def _databases(stack: CheckedStack) -> Iterator[Finding]:
    tree, environment = stack.phalanx()
    trees = source.other_revisions(tree, environment, stack.config.applications.revisions)
    roots = {name: other.path for name, other in trees.items()}
    applications = application.load_enabled(tree.path, environment, application_values(stack.config), roots)
    yield from database_health.check(databases.external(tree.path, applications, roots))


def _secrets(stack: CheckedStack) -> Iterator[Finding]:
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


def _address(stack: CheckedStack) -> str | None:
    """Return the floating IP of the platform; None if it does not exist or Neutron does not answer."""
    try:
        return load_balancer.ingress_address(stack.connection(), stack.config, stack.name)
    except openstack_errors(LoginError):
        return None
