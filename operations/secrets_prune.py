"""Removal of secrets in Vault that an environment does not read, in a way that can be undone."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import Plan, SecretKey
from probes import vault_client, vault_secrets

if TYPE_CHECKING:
    import hvac

_ATTEMPTS = 3
"""Maximum number of attempts if another client writes the same secret at the same time."""


@dataclass(frozen=True)
class Removal:
    """Keys to remove from one application's secret."""

    application: str
    keys: tuple[str, ...]
    """Keys to remove; empty to remove the whole secret."""

    def __str__(self) -> str:
        return ", ".join(f"{self.application}/{key}" for key in self.keys) or f"{self.application}, the whole secret"


def choose(names: Iterable[str], plan: Plan, held: Collection[SecretKey]) -> list[Removal]:
    """Return the removals that the operator has named.

    Args:
        names: ``application`` or ``application/key``; the key may contain further slashes.
        plan: Secrets that the environment reads.
        held: Keys in Vault.

    Raises:
        SecretsError: The environment reads a secret, or Vault does not have it. Contains all invalid names.
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
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name}: Vault has no such secret{f'; did you mean {near[0]}?' if near else ''}")
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
    client = vault_client.connect(address, ca_file)
    with vault_secrets.explained(address, environment, "change"):
        for removal in removals:
            yield _remove_keys(client, environment, removal) if removal.keys else _delete(client, environment, removal)


def _remove_keys(client: "hvac.Client", environment: Environment, removal: Removal) -> str:
    import hvac  # noqa: PLC0415  # slow to import

    mount, path = environment.vault_mount, f"{environment.vault_path}/{removal.application}"
    for attempt in range(_ATTEMPTS):
        version, data = _read(client, environment, removal)
        kept = {key: value for key, value in data.items() if key not in removal.keys}
        try:
            # Not with Vault's patch operation, which neither Phalanx's write policy nor the operator's policy allows.
            # Check-and-set ensures that a concurrent write is not lost.
            client.secrets.kv.v2.create_or_update_secret(path, kept, cas=version, mount_point=mount)
        except hvac.exceptions.InvalidRequest as error:
            if "check-and-set" not in str(error) or attempt == _ATTEMPTS - 1:
                raise
        else:
            return (
                f"Removed {removal}. Version {version} still has it: "
                f"`vault kv get -mount={mount} -version={version} {path}`"
            )
    raise AssertionError("the last attempt returns or raises")


def _delete(client: "hvac.Client", environment: Environment, removal: Removal) -> str:
    mount, path = environment.vault_mount, f"{environment.vault_path}/{removal.application}"
    version, _ = _read(client, environment, removal)
    client.secrets.kv.v2.delete_latest_version_of_secret(path, mount_point=mount)
    return f"Removed {removal}. To restore it: `vault kv undelete -mount={mount} -versions={version} {path}`"


def _read(client: "hvac.Client", environment: Environment, removal: Removal) -> tuple[int, Mapping[str, object]]:
    """Return the number and the values, of any type, of a secret's newest version."""
    answer = client.secrets.kv.v2.read_secret_version(
        f"{environment.vault_path}/{removal.application}",
        mount_point=environment.vault_mount,
        raise_on_deleted_version=True,
    )
    return answer["data"]["metadata"]["version"], answer["data"]["data"]
