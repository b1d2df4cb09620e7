"""What an update would change in Vault, by name: a preview shows an application's secrets as one opaque value."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pulumi

from components.secret_inputs import SecretInputs
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


def log(inputs: SecretInputs, path: str, stack: str) -> None:
    """Tell what `find` finds in one message; nothing if there is nothing to tell.

    Args:
        inputs: What the secrets are made from.
        path: Mount and path of the environment's secrets.
        stack: Name of the stack.
    """
    found = find(inputs)
    prune = f"{{}} (`python -m operations secrets prune -s {stack}`)"
    lines = {
        "new": _names(found.new, inputs.existing),
        "new, generated": _names(found.generated, inputs.existing),
        "changed": _names(found.changed, inputs.existing),
        "not needed any more": unneeded and prune.format(unneeded)
        if (unneeded := _names(found.unneeded, inputs.plan))
        else "",
    }
    if told := [f"  {heading}: {names}" for heading, names in lines.items() if names]:
        pulumi.info("\n".join([f"Secrets in Vault under {path}:", *told]))


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


def warn_of_edited(name: str, found: Collection[SecretKey]) -> None:
    """Tell what `edited` finds, which neither the engine nor the provider sees, and both ways out.

    Args:
        name: What the names of the resources begin with.
        found: Secrets of one application.
    """
    for at in found:
        pulumi.warn(
            f"{at}: somebody has changed it in Vault, and the next write of this secret puts the stack's value back. "
            f"To do so now: `pulumi up --replace '**::{name}-{at.application}'`; to take over the one in Vault: "
            f"`pulumi up --replace '**::{name}-{at.application}-{at.key}'`",
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


def _names(found: Collection[SecretKey], known: Collection[SecretKey]) -> str:
    """The secrets, those of an application of which nothing is known as one."""
    applications = {at.application for at in known}
    by_application: dict[str, list[SecretKey]] = {}
    for at in found:
        by_application.setdefault(at.application, []).append(at)
    names: list[str] = []
    for application, keys in by_application.items():
        whole = application not in applications and len(keys) > 1
        names.extend([f"{application} ({len(keys)} keys)"] if whole else map(str, keys))
    return ", ".join(names)
