"""All that is known of an environment's secrets before anything is created."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from phalanx.secrets import Generated, Plan, SecretKey, Static


@dataclass(frozen=True, kw_only=True)
class SecretInputs:
    """What an environment's secrets are made from."""

    plan: Plan
    """Every secret that the applications read, each after the one that it is made from."""
    static: Mapping[SecretKey, str] = field(repr=False)
    """Values that a person gave: in the configuration, else in Vault."""
    given: frozenset[SecretKey]
    """Those of them that are configured: all other static values belong to whoever writes them to Vault."""
    existing: Mapping[SecretKey, str] = field(repr=False)
    """Values that Vault holds, those of secrets that are not planned too."""
    oidc_clients: str = field(repr=False)
    """The clients of Gafaelfawr's OpenID Connect server, as it reads them."""
    rotation: Mapping[str, str] = field(default_factory=dict)
    """By application, or application/key: any text, another one of which asks for new values."""

    def rotation_of(self, at: SecretKey) -> str | None:
        """The text that asks for a new value of this secret, None if nobody ever did."""
        return self.rotation.get(str(at), self.rotation.get(at.application))

    def rotatable(self) -> list[SecretKey]:
        """The secrets that can be generated anew; what is derived from them follows by itself."""
        return rotatable(self.plan)

    def in_vault(self, application: str) -> dict[str, str]:
        """What Vault held of an application when the program began."""
        return {at.key: value for at, value in self.existing.items() if at.application == application}

    def foreign_keys(self, application: str, held: Mapping[str, str]) -> dict[str, str]:
        """What people keep in an application's secret: static values that are not configured, and keys beside ours.

        Args:
            application: Name of the application.
            held: What its secret in Vault holds.
        """
        return {key: value for key, value in held.items() if self._is_theirs(SecretKey(application, key), value)}

    def _is_theirs(self, at: SecretKey, value: str) -> bool:
        if at not in self.plan:
            return True
        # To Phalanx an empty value is none.
        return isinstance(self.plan[at].origin, Static) and at not in self.given and bool(value)


def rotatable(plan: Plan) -> list[SecretKey]:
    """Name the secrets that are generated from nothing else and kept."""
    return [
        at
        for at, secret in plan.items()
        if isinstance(secret.origin, Generated) and not secret.source and not secret.origin.type.always_generated
    ]
