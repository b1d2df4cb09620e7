"""Removal of what Vault holds and an environment does not read, so that it can be taken back."""

import difflib
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import Plan, SecretKey
from probes import vault_client, vault_secrets

if TYPE_CHECKING:
    import hvac

_ATTEMPTS = 3
"""How often to try where somebody else writes the same secret at the same time."""


@dataclass(frozen=True)
class Removal:
    """What to remove of one application's secret."""

    application: str
    keys: tuple[str, ...]
    """The keys to remove; none for the secret as a whole."""

    def __str__(self) -> str:
        return ", ".join(f"{self.application}/{key}" for key in self.keys) or f"{self.application}, the whole secret"


def choose(names: Iterable[str], plan: Plan, held: Collection[SecretKey]) -> list[Removal]:
    """Find what a person has named.

    Args:
        names: ``application``, or ``application/key``: the first slash ends the application, the key may have others.
        plan: What the environment reads.
        held: What Vault holds.

    Raises:
        SecretsError: The environment reads it, or Vault does not have it; all names that will not do at once.
    """
    chosen: set[SecretKey] = set()
    problems: list[str] = []
    applications = {at.application for at in held}
    for name in names:
        application, slash, key = name.partition("/")
        meant = {at for at in held if at.application == application and (not slash or at.key == key)}
        read = sorted(str(at) for at in plan if at.application == application and (not slash or at.key == key))
        if read:
            problems.append(f"{name}: the environment reads {', '.join(read)}: it stays")
        elif not meant:
            known = [*map(str, plan.unneeded(held)), *sorted(applications)]
            near = difflib.get_close_matches(name, known, n=1)
            problems.append(f"{name}: Vault has no such secret{f'; did you mean {near[0]}?' if near else ''}")
        chosen |= meant
    if problems:
        raise SecretsError(*problems)
    return removals(chosen, held)


def removals(chosen: Collection[SecretKey], held: Collection[SecretKey]) -> list[Removal]:
    """Put the keys of an application together; all that it has is its secret as a whole."""
    found: list[Removal] = []
    for application in sorted({at.application for at in chosen}):
        keys = {at.key for at in chosen if at.application == application}
        every = {at.key for at in held if at.application == application}
        found.append(Removal(application, () if keys == every else tuple(sorted(keys))))
    return found


def remove(removals: Iterable[Removal], address: str, environment: Environment) -> Iterator[str]:
    """Remove keys by a new version of their secret, and whole secrets by the deletion of their newest version.

    Args:
        removals: What to remove.
        address: URL of Vault.
        environment: The environment.

    Yields:
        What was done, and the command that takes it back.

    Raises:
        SecretsError: Vault refuses, or somebody goes on writing the same secret.
    """
    client = vault_client.connect(address)
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
            # Not by Vault's own patch: neither Phalanx's write policy nor that of an operator has it. The version makes
            # sure that nothing is lost that somebody writes in between.
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
    return f"Removed {removal}. To take it back: `vault kv undelete -mount={mount} -versions={version} {path}`"


def _read(client: "hvac.Client", environment: Environment, removal: Removal) -> tuple[int, Mapping[str, object]]:
    """The newest version of a secret, and what it holds, whatever its types."""
    answer = client.secrets.kv.v2.read_secret_version(
        f"{environment.vault_path}/{removal.application}",
        mount_point=environment.vault_mount,
        raise_on_deleted_version=True,
    )
    return answer["data"]["metadata"]["version"], answer["data"]["data"]
