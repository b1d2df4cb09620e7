"""The secrets that the applications of a stack read, determined without access to Vault."""

from dataclasses import dataclass

from config.stack_config import StackConfig
from operations.stack import load
from phalanx import additions, application, render, secrets, static_secrets, undeclared
from phalanx.environment import Environment
from phalanx.secrets import Plan, SecretKey
from phalanx.static_secrets import StaticSecrets
from wiring.application_values import application_values


@dataclass(frozen=True, kw_only=True)
class NeededSecrets:
    """The secrets that the applications of a stack read."""

    stack: str
    config: StackConfig
    environment: Environment
    plan: Plan
    """All secrets except the pull secret."""

    def configured(self) -> set[SecretKey]:
        """Return the keys of the secrets in the stack's configuration and in its file of static secrets.

        Raises:
            PhalanxError: The file cannot be read or decrypted.
        """
        keys = {SecretKey(name, key) for name, keys in self.config.secrets.applications.items() for key in keys}
        return keys.union(self._file().given())

    def complete_plan(self, *, pull_secret_held: bool) -> Plan:
        """Return the plan with the pull secret, which depends on the configured logins.

        Args:
            pull_secret_held: Whether Vault has a pull secret.

        Raises:
            PhalanxError: The file of static secrets cannot be read or decrypted.
        """
        logins = self._file().logins(self.config.secrets.registries)
        return Plan([*self.plan.values(), additions.pull_secret(logins, held=pull_secret_held)])

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
    tree, found = described.checkout, described.environment
    configured = application_values(described.config)
    applications = application.load_enabled(tree.path, found, configured)
    declared = secrets.resolve(applications)
    manifests = render.applications(tree.path, found, repo_url=tree.repository, target_revision=tree.commit)
    uses = undeclared.uses_of_all(tree.path, manifests, configured)
    extra = undeclared.find(uses, found.vault_path_prefix, declared)
    plan = Plan([*declared.values(), *additions.plan(found.enabled_applications, extra)])
    return NeededSecrets(stack=stack, config=described.config, environment=found, plan=plan)
