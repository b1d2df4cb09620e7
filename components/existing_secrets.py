"""What Vault already holds for an environment: the one place of the program that asks it."""

import json

import pulumi
import pulumi_vault as vault

from phalanx.environment import Environment
from phalanx.secrets import SecretKey


class VaultError(Exception):
    """Vault does not answer, or not to us."""


def read(environment: Environment, address: str, provider: vault.Provider) -> dict[SecretKey, str]:
    """Read every secret under an environment's path, whoever wrote it.

    It must be known before anything is made whether a static secret is missing, so this waits for Vault's answer
    instead of handing out an ``Output``. The values are plain: whoever passes one to a resource makes it secret.

    Args:
        environment: The environment whose secrets to read; the KV v2 engine need not be mounted yet.
        address: URL of the Vault, for messages.
        provider: The Vault to ask.

    Returns:
        The values that are there, by application and key; nothing for a secret whose latest version is deleted.

    Raises:
        VaultError: If Vault cannot be reached, is sealed, or refuses the token.
    """
    try:
        return _read(environment.vault_mount, environment.vault_path, pulumi.InvokeOptions(provider=provider))
    except Exception as error:  # noqa: BLE001  # told to the person who runs this, see below
        # The SDK raises nothing more specific; what it quotes is the request, never a value.
        raise VaultError(
            f"Vault at {address} does not let us read {environment.vault_path_prefix}: {error}\n"
            "Is it reachable and unsealed, and does VAULT_TOKEN hold a valid token that may read there?",
        ) from None


def _read(mount: str, path: str, options: pulumi.InvokeOptions) -> dict[SecretKey, str]:
    found = {}
    for application in _applications(mount, path, options):
        answer = vault.kv.get_secret_v2(mount=mount, name=f"{path}/{application}", opts=options)
        for key, value in (json.loads(answer.data_json) or {}).items():
            # Phalanx writes text only; what a person wrote as another type is kept as its JSON.
            found[SecretKey(application, key)] = value if isinstance(value, str) else json.dumps(value)
    return found


def _applications(mount: str, path: str, options: pulumi.InvokeOptions) -> list[str]:
    try:
        answer = vault.kv.get_secrets_list_v2(mount=mount, name=path, opts=options)
    except Exception as error:
        # The provider has no other way to say that there is none, as Vault answers 404 and its client nothing.
        if "no secrets found at" in str(error):
            return []
        raise
    return [name for name in answer.names if not name.endswith("/")]
