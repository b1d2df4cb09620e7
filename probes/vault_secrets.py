"""Read an environment's secrets from Vault, whoever wrote them."""

import json
from collections.abc import Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from config.vault import Vault
from phalanx.environment import Environment
from phalanx.secrets import SecretKey
from probes import existing_vault, vault_client
from probes.vault_kv import Access, Folder, SecretVersion

_READERS = 8
"""Number of secrets that are read in parallel."""


@dataclass(frozen=True, kw_only=True)
class Contents:
    """An environment's contents of Vault before a run."""

    secrets: Mapping[SecretKey, str] = field(repr=False)
    """Secrets under the environment's path, by application and key."""
    read_at: datetime
    """Time at which they were read, in UTC."""
    has_mount: bool
    """True if the environment's KV engine exists, whoever created it."""
    has_auth_method: bool
    """True if the environment's auth method exists, whoever enabled it."""
    has_role: bool
    """True if the environment's AppRole exists, whoever created it."""


def contents(address: str, environment: Environment, settings: Vault) -> Contents:
    """Read an environment's contents of Vault; arguments and errors as for `read`."""
    approle = settings.approle
    read_at = datetime.now(UTC)
    secrets = folder(address, environment, settings.ca_file)
    client = secrets.vault.client
    with secrets.explained(), ThreadPoolExecutor(_READERS) as pool:
        mounts = pool.submit(existing_vault.visible, client)
        role = pool.submit(client.read, f"auth/{approle.path}/role/{environment.vault_role}")
        return Contents(
            secrets=_read(secrets, pool),
            read_at=read_at,
            has_mount=f"{environment.vault_mount}/" in mounts.result()["secret"],
            has_auth_method=f"{approle.path}/" in mounts.result()["auth"],
            has_role=role.result() is not None,
        )


def read(address: str, environment: Environment, settings: Vault) -> dict[SecretKey, str]:
    """Read every secret under an environment's path with the token in ``VAULT_TOKEN``.

    The program requires them before it registers anything, as a static secret may be missing, and the functions of
    Pulumi's Vault provider that read secrets are deprecated.

    Args:
        address: URL of Vault.
        environment: The environment; its KV engine need not exist yet.
        settings: The stack's settings of Vault.

    Returns:
        The values by application and key, without secrets whose newest version is deleted.

    Raises:
        SecretsError: Vault refuses the request or does not answer.
        VaultTokenError: No token is set, or the connection would not be encrypted.
    """
    secrets = folder(address, environment, settings.ca_file)
    with secrets.explained(), ThreadPoolExecutor(_READERS) as pool:
        return _read(secrets, pool)


def read_application(address: str, environment: Environment, settings: Vault, application: str) -> dict[str, str]:
    """Read the current secret of one application, by key; arguments and errors as for `read`."""
    secrets = folder(address, environment, settings.ca_file)
    with secrets.explained():
        return _texts(secrets.read(application))


def folder(address: str, environment: Environment, ca_file: Path | None) -> Folder:
    """Return an environment's path of Vault, without sending a request; arguments and errors as for `connect`."""
    access = Access(vault_client.connect(address, ca_file), address)
    return Folder(access, environment.vault_mount, environment.vault_path, version=2)


def _read(secrets: Folder, pool: Executor) -> dict[SecretKey, str]:
    names = [name for name in secrets.entries() if not name.endswith("/")]
    return {
        SecretKey(name, key): value
        for name, found in zip(names, pool.map(secrets.read, names), strict=True)
        for key, value in _texts(found).items()
    }


def _texts(found: SecretVersion) -> dict[str, str]:
    # Phalanx writes only strings; values of other types are represented as JSON.
    return {key: each if isinstance(each, str) else json.dumps(each) for key, each in found.data.items()}
