"""The secrets that the applications of a stack read, determined without access to Vault."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property

from operations.stack import Stack, applications, load
from phalanx import secret_additions, static_secrets
from phalanx.secrets import Plan, SecretKey
from phalanx.source import PhalanxSource
from phalanx.static_secrets import StaticSecrets


@dataclass(frozen=True, kw_only=True)
class NeededSecrets:
    """The secrets that the applications of a stack read."""

    stack: Stack
    source: PhalanxSource
    """The stack's applications."""

    def configured(self) -> set[SecretKey]:
        """Return the keys of the secrets in the stack's configuration and in its file of static secrets.

        Raises:
            PhalanxError: The file cannot be read or decrypted.
        """
        applications = self.stack.config.secrets.applications
        keys = {SecretKey(name, key) for name, keys in applications.items() for key in keys}
        return keys.union(self._file.given())

    def complete_plan(self, held: Collection[SecretKey]) -> Plan:
        """Return the plan with the pull secret, and without secrets that only matter if they have a value.

        Args:
            held: Secrets with a non-empty value in Vault.

        Raises:
            PhalanxError: The file of static secrets cannot be read or decrypted.
        """
        logins = self._file.logins(self.stack.config.secrets.registries)
        return secret_additions.complete(self.source, logins, self.configured(), held)

    @cached_property
    def _file(self) -> StaticSecrets:
        file = self.stack.config.secrets.file
        return static_secrets.load(file) if file else StaticSecrets()


def find(stack: str) -> NeededSecrets:
    """Determine the secrets that the applications of a stack read.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PhalanxError: The Phalanx repository, its environment or its secret definitions are not valid.
    """
    loaded = load(stack)
    return NeededSecrets(stack=loaded, source=applications(loaded))
