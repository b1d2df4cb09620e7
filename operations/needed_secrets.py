"""The secrets that the applications of a stack read, determined without access to Vault."""

from collections.abc import Collection
from dataclasses import dataclass

from config.stack_config import StackConfig
from operations.stack import load
from phalanx import additions, source, static_secrets
from phalanx.environment import Environment
from phalanx.secrets import Plan, SecretKey
from phalanx.source import PhalanxSource
from phalanx.static_secrets import StaticSecrets
from phalanx.undeclared import PULL_SECRET
from probes import vault_client
from wiring import requirements
from wiring.application_values import application_values


@dataclass(frozen=True, kw_only=True)
class NeededSecrets:
    """The secrets that the applications of a stack read."""

    stack: str
    config: StackConfig
    environment: Environment
    plan: Plan
    """All secrets except the pull secret."""
    read: Collection[SecretKey]
    """Secrets that pods read by their key."""

    def configured(self) -> set[SecretKey]:
        """Return the keys of the secrets in the stack's configuration and in its file of static secrets.

        Raises:
            PhalanxError: The file cannot be read or decrypted.
        """
        keys = {SecretKey(name, key) for name, keys in self.config.secrets.applications.items() for key in keys}
        return keys.union(self._file().given())

    def complete_plan(self, held: Collection[SecretKey]) -> Plan:
        """Return the plan with the pull secret, and without secrets that are useless unless they have a value.

        Args:
            held: Secrets with a non-empty value in Vault.

        Raises:
            PhalanxError: The file of static secrets cannot be read or decrypted.
        """
        logins = self._file().logins(self.config.secrets.registries)
        planned = additions.without_useless(self.plan.values(), self.configured().union(held, self.read))
        return Plan([*planned, additions.pull_secret(logins, held=PULL_SECRET in held)])

    def _file(self) -> StaticSecrets:
        file = self.config.secrets.file
        return static_secrets.load(file) if file else StaticSecrets()

    @property
    def address(self) -> str:
        """URL of the stack's Vault, as this program reaches it."""
        return self.config.vault.reached_at(self.environment.vault_url)


def find(stack: str) -> NeededSecrets:
    """Determine the secrets that the applications of a stack read.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PhalanxError: The Phalanx repository, its environment or its secret definitions are not valid.
    """
    described = load(stack)
    found = source.load(
        described.checkout,
        described.environment,
        application_values(described.config),
        requirements.of(described.config, vault_client.namespace()),
        revisions=described.config.applications.revisions,
        bootstrap=False,
    )
    return of(stack, described.config, found)


def of(stack: str, config: StackConfig, found: PhalanxSource) -> NeededSecrets:
    """Return the secrets that the applications of a stack read.

    Args:
        stack: Name of the stack.
        config: The stack's configuration.
        found: The stack's Phalanx environment.
    """
    plan = Plan([*found.secrets.values(), *additions.plan(found.applications, found.undeclared)])
    return NeededSecrets(stack=stack, config=config, environment=found.environment, plan=plan, read=found.read)
