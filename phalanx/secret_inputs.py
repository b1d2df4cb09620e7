"""Inputs of an environment's secrets that are known before any resource is created."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from phalanx.secrets import Generated, Plan, SecretKey, Static


@dataclass(frozen=True, kw_only=True)
class SecretInputs:
    """Inputs from which an environment's secrets are computed."""

    plan: Plan
    """All secrets that the applications read, each after its source."""
    static: Mapping[SecretKey, str] = field(repr=False)
    """Values of static secrets: from the configuration, otherwise from Vault."""
    configured: frozenset[SecretKey]
    """Static secrets whose value is configured; all others are managed in Vault by the operator."""
    existing: Mapping[SecretKey, str] = field(repr=False)
    """All values in Vault, including those of secrets that are not planned."""
    oidc_clients: str = field(repr=False)
    """Clients of Gafaelfawr's OpenID Connect server, in Gafaelfawr's format."""
    rotation: Mapping[str, str] = field(default_factory=dict)
    """Arbitrary text by application, or by application/key; new values are generated whenever the text changes."""

    def rotation_of(self, key: SecretKey) -> str | None:
        """Return the text whose change rotates a secret, or None if none is configured."""
        return self.rotation.get(str(key), self.rotation.get(key.application))

    def in_vault(self, application: str) -> dict[str, str]:
        """Return the values that an application's secret in Vault had when the program started, by key."""
        return {key.name: value for key, value in self.existing.items() if key.application == application}

    def foreign_keys(self, application: str, held: Mapping[str, str]) -> dict[str, str]:
        """Return the values in an application's secret that this program must not change, by key.

        These are static values that are not configured, and keys that are not planned.

        Args:
            application: Name of the application.
            held: Current values of the application's secret in Vault, by key.
        """
        return {key: value for key, value in held.items() if self._is_foreign(SecretKey(application, key), value)}

    def _is_foreign(self, key: SecretKey, value: str) -> bool:
        if key not in self.plan:
            return True
        # Phalanx treats an empty value as missing.
        return isinstance(self.plan[key].origin, Static) and key not in self.configured and bool(value)


def rotatable(plan: Plan) -> list[SecretKey]:
    """List the secrets that can be rotated: generated once, and not derived from another one, which follows it."""
    return [
        key
        for key, secret in plan.items()
        if isinstance(secret.origin, Generated) and not secret.source and not secret.origin.type.always_generated
    ]
