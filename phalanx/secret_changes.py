"""What an update would change in Vault, by name: a preview shows an application's secrets as one opaque value."""

from collections.abc import Mapping
from dataclasses import dataclass

from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Copied, Generated, Literal, PlannedSecret, SecretKey, Static, Wired


@dataclass(frozen=True, kw_only=True)
class SecretChanges:
    """Names of secrets, each list in alphabetical order."""

    new: tuple[SecretKey, ...]
    """Those that Vault lacks and somebody gave: a person, Phalanx, another secret or the infrastructure."""
    generated: tuple[SecretKey, ...]
    """Those that Vault lacks and a generator makes."""
    changed: tuple[SecretKey, ...]
    """Those of which Vault has another value. What a rotation changes is not among them: its Stash shows it."""
    unneeded: tuple[SecretKey, ...]
    """Those in Vault that nothing in the environment reads."""

    @property
    def applications(self) -> frozenset[str]:
        """The applications whose secret in Vault is not as it should be."""
        return frozenset(at.application for at in (*self.new, *self.generated, *self.changed))


def find(inputs: SecretInputs) -> SecretChanges:
    """Compare what is wanted with what Vault holds."""
    held = {at: value for at, value in inputs.existing.items() if value}
    lacking = [secret for at, secret in sorted(inputs.plan.items()) if at not in held]
    made = [secret.at for secret in lacking if isinstance(secret.origin, Generated)]
    wanted = {at: _value(secret, inputs) for at, secret in sorted(inputs.plan.items()) if at in held}
    return SecretChanges(
        new=tuple(secret.at for secret in lacking if secret.at not in made),
        generated=tuple(made),
        changed=tuple(at for at, value in wanted.items() if value is not None and value != held[at]),
        unneeded=inputs.plan.unneeded(inputs.existing),
    )


def edited(inputs: SecretInputs, application: str, kept: Mapping[str, str]) -> tuple[SecretKey, ...]:
    """Name the generated secrets that somebody has changed in Vault behind the stack's back.

    Args:
        inputs: What the secrets are made from.
        application: Name of the application.
        kept: The values in the stack's state, by key, all of them known: nothing of it is about to be made anew.
    """
    keys = (SecretKey(application, key) for key in sorted(kept))
    return tuple(
        at
        for at in keys
        if isinstance(origin := inputs.plan[at].origin, Generated)
        and not origin.type.always_generated
        and inputs.existing.get(at, "") not in {"", kept[at.key]}
    )


def _value(secret: PlannedSecret, inputs: SecretInputs) -> str | None:
    """The value that a secret will have, as far as it is known before anything is made."""
    match secret.origin:
        case Literal(value):
            return value
        case Static():
            return inputs.static[secret.at]
        case Copied(source):
            return _value(inputs.plan[source], inputs)
        case Generated(type=generator) if generator.always_generated:
            return inputs.oidc_clients
        case Generated():
            # The stack's state may have another one, which only a Stash can tell.
            return inputs.existing.get(secret.at) or None
        case Wired():
            return None
