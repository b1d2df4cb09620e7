"""Log which secrets in Vault change, as a preview shows all secrets of an application as one opaque value."""

from collections.abc import Collection

import pulumi

from phalanx.secret_changes import find
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import SecretKey


def log(inputs: SecretInputs, path: str, stack: str) -> None:
    """Log the changes of secrets as one message, without values; log nothing if there are none.

    Args:
        inputs: Origin and known value of each secret.
        path: Mount and path of the environment's secrets.
        stack: Name of the stack.
    """
    found = find(inputs)
    prune = f"{{}} (`python -m operations secrets prune -s {stack}`)"
    lines = {
        "new": _names(found.new, inputs.existing),
        "new, generated": _names(found.generated, inputs.existing),
        "changed": _names(found.changed, inputs.existing),
        "no longer needed": unneeded and prune.format(unneeded)
        if (unneeded := _names(found.unneeded, inputs.plan))
        else "",
    }
    if changes := [f"  {heading}: {names}" for heading, names in lines.items() if names]:
        pulumi.info("\n".join([f"Secrets in Vault under {path}:", *changes]))


def _names(found: Collection[SecretKey], known: Collection[SecretKey]) -> str:
    """Return the names of secrets as text; those of an application without known secrets are only counted."""
    applications = {key.application for key in known}
    by_application: dict[str, list[SecretKey]] = {}
    for key in found:
        by_application.setdefault(key.application, []).append(key)
    names: list[str] = []
    for application, keys in by_application.items():
        whole = application not in applications and len(keys) > 1
        names.extend([f"{application} ({len(keys)} keys)"] if whole else map(str, keys))
    return ", ".join(names)
