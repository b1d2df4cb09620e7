"""Removal of secrets in Vault that an environment does not read; it can be undone."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from phalanx.environment import Environment, nearest
from phalanx.errors import SecretsError
from phalanx.secrets import Plan, SecretKey
from probes import vault_secrets
from probes.vault_kv import Folder


@dataclass(frozen=True)
class Removal:
    """Keys to remove from one application's secret."""

    application: str
    keys: tuple[str, ...]
    """Keys to remove; empty to remove the whole secret."""

    def __str__(self) -> str:
        return ", ".join(f"{self.application}/{key}" for key in self.keys) or f"{self.application}, the whole secret"


def choose(names: Iterable[str], plan: Plan, held: Collection[SecretKey]) -> list[Removal]:
    """Return the removals of the secrets that the operator has named.

    Args:
        names: ``application`` or ``application/key``; the key may contain further slashes.
        plan: Secrets that the environment reads.
        held: Keys in Vault.

    Raises:
        SecretsError: The environment reads a secret, or Vault does not have it; the message has all such names.
    """
    chosen: set[SecretKey] = set()
    problems: list[str] = []
    applications = {key.application for key in held}
    for name in names:
        matching = {key for key in held if name in (key.application, str(key))}
        read = sorted(str(key) for key in plan if name in (key.application, str(key)))
        if read:
            problems.append(f"{name}: cannot be removed, as the environment reads {', '.join(read)}")
        elif not matching:
            known = [*map(str, plan.unneeded(held)), *sorted(applications)]
            problems.append(f"{name}: Vault has no such secret{nearest(name, known)}")
        chosen |= matching
    if problems:
        raise SecretsError(*problems)
    return removals(chosen, held)


def removals(chosen: Collection[SecretKey], held: Collection[SecretKey]) -> list[Removal]:
    """Group keys by application; all keys of an application are removed as the whole secret.

    Args:
        chosen: Keys to remove.
        held: All keys in Vault.
    """
    found: list[Removal] = []
    for application in sorted({key.application for key in chosen}):
        keys = {key.name for key in chosen if key.application == application}
        every = {key.name for key in held if key.application == application}
        found.append(Removal(application, () if keys == every else tuple(sorted(keys))))
    return found


def remove(
    removals: Iterable[Removal], address: str, environment: Environment, ca_file: Path | None = None
) -> Iterator[str]:
    """Remove keys by writing a new version of their secret, and whole secrets by deleting their newest version.

    Args:
        removals: Keys and secrets to remove.
        address: URL of Vault.
        environment: The environment.
        ca_file: As for `vault_client.authorities`.

    Yields:
        One message per removal, with the command that undoes it.

    Raises:
        SecretsError: Vault refuses the request, or other clients keep writing the same secret.
    """
    folder = vault_secrets.folder(address, environment, ca_file)
    with folder.explained():
        for removal in removals:
            yield _remove_keys(folder, removal) if removal.keys else _delete(folder, removal)


def _remove_keys(folder: Folder, removal: Removal) -> str:
    # Not with Vault's patch operation, which neither Phalanx's write policy nor the operator's policy allows.
    before = folder.update(
        removal.application,
        lambda present: {key: value for key, value in present.data.items() if key not in removal.keys},
    )
    return (
        f"Removed {removal}. Version {before.version} still has it: `vault kv get -mount={folder.mount} "
        f"-version={before.version} {folder.path}/{removal.application}`"
    )


def _delete(folder: Folder, removal: Removal) -> str:
    version, path = folder.read(removal.application).version, f"{folder.path}/{removal.application}"
    folder.delete(removal.application)
    # Phalanx's write policy allows it; the operator's, which has fewer capabilities, does not.
    return (
        f"Removed {removal}. To restore it, with the token of the output vaultWriteToken: "
        f"`vault kv undelete -mount={folder.mount} -versions={version} {path}`"
    )
