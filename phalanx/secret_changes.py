"""Names of the secrets that an update would change in Vault.

A preview cannot show them, as it shows all secrets of an application as one opaque value.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Copied, Generated, Literal, Plan, PlannedSecret, SecretKey, Static, Wired


@dataclass(frozen=True, kw_only=True)
class SecretChanges:
    """Keys of secrets, each tuple in alphabetical order."""

    new: tuple[SecretKey, ...]
    """Secrets missing in Vault that are not generated: configured, copied, or from Phalanx or the infrastructure."""
    generated: tuple[SecretKey, ...]
    """Secrets missing in Vault that are generated."""
    changed: tuple[SecretKey, ...]
    """Secrets of which Vault has another value, except for rotated ones, which the preview shows as a Stash."""
    unneeded: tuple[SecretKey, ...]
    """Secrets in Vault that nothing in the environment reads."""
    sources: tuple[SecretKey, ...] = ()
    """Generated secrets of which a copy in Vault has another value. Which of the two was changed in Vault is known only
    to the Stash, so that both are written."""

    @property
    def applications(self) -> frozenset[str]:
        """Applications whose secret in Vault is going to be written."""
        return frozenset(key.application for key in (*self.new, *self.generated, *self.changed, *self.sources))


def find(inputs: SecretInputs) -> SecretChanges:
    """Compare the planned secrets with those in Vault."""
    held = {key: value for key, value in inputs.existing.items() if value}
    missing = [secret for key, secret in sorted(inputs.plan.items()) if key not in held]
    generated = [secret.key for secret in missing if isinstance(secret.origin, Generated)]
    planned = {key: _value(secret, inputs) for key, secret in sorted(inputs.plan.items()) if key in held}
    changed = tuple(key for key, value in planned.items() if value is not None and value != held[key])
    origins = {_original(inputs.plan[key], inputs.plan) for key in changed}
    return SecretChanges(
        new=tuple(secret.key for secret in missing if secret.key not in generated),
        generated=tuple(generated),
        changed=changed,
        unneeded=inputs.plan.unneeded(inputs.existing),
        sources=tuple(sorted(secret.key for secret in origins if _is_stored(secret))),
    )


def edited(inputs: SecretInputs, application: str, stashed: Mapping[str, str]) -> tuple[SecretKey, ...]:
    """List the generated secrets whose value in Vault differs from the one in the stack's state.

    Args:
        inputs: Inputs of the environment's secrets.
        application: Name of the application.
        stashed: Values in the stack's state, by key. All of them must be known: none is about to be generated.
    """
    keys = (SecretKey(application, name) for name in sorted(stashed))
    return tuple(
        key
        for key in keys
        if _is_stored(inputs.plan[key]) and inputs.existing.get(key, "") not in {"", stashed[key.name]}
    )


def holders(plan: Plan, key: SecretKey) -> tuple[str, ...]:
    """List the applications whose secrets have the value of a secret: its own, and those with copies of it."""
    return tuple(sorted({each.key.application for each in plan.values() if _original(each, plan).key == key}))


def _original(secret: PlannedSecret, plan: Plan) -> PlannedSecret:
    """Return the secret of which a secret is a copy, or that secret itself."""
    while isinstance(secret.origin, Copied):
        secret = plan[secret.origin.source]
    return secret


def _is_stored(secret: PlannedSecret) -> bool:
    """Return whether the stack's state has the value, which may differ from that in Vault."""
    return isinstance(secret.origin, Generated) and not secret.origin.type.always_generated


def _value(secret: PlannedSecret, inputs: SecretInputs) -> str | None:
    """Return the value that a secret is going to have, or None if it is not known before the update."""
    match secret.origin:
        case Literal(value):
            return value
        case Static():
            return inputs.static[secret.key]
        case Copied(source):
            return _value(inputs.plan[source], inputs)
        case Generated(type=generator) if generator.always_generated:
            return inputs.oidc_clients
        case Generated():
            # The stack's state may have another value, which is known only to the Stash.
            return inputs.existing.get(secret.key) or None
        case Wired():
            return None
