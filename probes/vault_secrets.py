"""Read an environment's secrets from Vault, whoever wrote them."""

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from config.vault import Vault
from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey
from probes import existing_vault, vault_client

if TYPE_CHECKING:
    import hvac

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
    with explained(address, environment, "read"), ThreadPoolExecutor(_READERS) as pool:
        client = vault_client.connect(address, settings.ca_file)
        mounts = pool.submit(existing_vault.visible, client)
        role = pool.submit(client.read, f"auth/{approle.path}/role/{environment.vault_role}")
        return Contents(
            secrets=_read(client, environment, pool),
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
    with explained(address, environment, "read"), ThreadPoolExecutor(_READERS) as pool:
        return _read(vault_client.connect(address, settings.ca_file), environment, pool)


def read_application(address: str, environment: Environment, settings: Vault, application: str) -> dict[str, str]:
    """Read the current secret of one application, by key; arguments and errors as for `read`."""
    with explained(address, environment, "read"):
        client = vault_client.connect(address, settings.ca_file)
        return {key.name: value for key, value in _keys(client, environment, application)}


@contextmanager
def explained(address: str, environment: Environment, doing: str) -> Iterator[None]:
    """Turn exceptions of Vault's client into errors for the user.

    Args:
        address: URL of Vault.
        environment: The environment.
        doing: Operation on its secrets, such as "read".

    Raises:
        SecretsError: Vault refuses the request or does not answer.
    """
    import hvac
    import requests

    try:
        yield
    except hvac.exceptions.Forbidden:
        raise SecretsError(
            f"Vault at {address} does not allow this token to {doing} {environment.vault_path_prefix}: "
            "VAULT_TOKEN requires the policy that `python -m operations vault-policy` prints",
        ) from None
    except (hvac.exceptions.VaultError, requests.RequestException) as error:
        raise SecretsError(f"Vault at {address}: {vault_client.explain(error)}") from None


def _read(client: "hvac.Client", environment: Environment, pool: Executor) -> dict[SecretKey, str]:
    names = _applications(client, environment)
    return {
        key: value for found in pool.map(lambda name: _keys(client, environment, name), names) for key, value in found
    }


def _applications(client: "hvac.Client", environment: Environment) -> list[str]:
    import hvac

    try:
        listed = client.secrets.kv.v2.list_secrets(environment.vault_path, mount_point=environment.vault_mount)
    except hvac.exceptions.InvalidPath:
        return []
    return [name for name in listed["data"]["keys"] if not name.endswith("/")]


def _keys(client: "hvac.Client", environment: Environment, name: str) -> list[tuple[SecretKey, str]]:
    import hvac

    try:
        answer = client.secrets.kv.v2.read_secret_version(
            f"{environment.vault_path}/{name}",
            mount_point=environment.vault_mount,
            raise_on_deleted_version=False,
        )
    except hvac.exceptions.InvalidPath:
        # All versions are destroyed: only the metadata exist.
        return []
    data = answer["data"]["data"] or {}
    # Phalanx writes only strings; values of other types are represented as JSON.
    return [(SecretKey(name, key), each if isinstance(each, str) else json.dumps(each)) for key, each in data.items()]
