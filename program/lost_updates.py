"""Refuse to overwrite a secret in Vault that another client has changed since the program read it."""

from collections.abc import Awaitable, Callable

from pulumi import ResourceHook, ResourceHookArgs, ResourceHookBinding, ResourceTransformation

from phalanx.errors import SecretsError
from probes import vault_secrets
from program.hooks import bind_hooks, in_thread
from program.preparation import Prepared

_SECRET = "vault:kv/secretV2:SecretV2"  # noqa: S105  # a type of resource


class LostUpdateError(SecretsError):
    """Another client has changed a secret that was about to be written."""


def refuse_lost_updates(prepared: Prepared) -> ResourceTransformation:
    """Return a transformation for the options of `SecretStore` that compares each secret with Vault before writing it.

    A preview compares nothing, and an update compares only the secrets that it writes.

    Args:
        prepared: The stack's Vault, and the secrets that it had when the program started.
    """
    hook = ResourceHook("no-lost-updates", comparison(prepared))
    return bind_hooks({_SECRET: ResourceHookBinding(before_create=[hook], before_update=[hook])})


def comparison(prepared: Prepared) -> Callable[[ResourceHookArgs], Awaitable[None]]:
    """Return a hook that compares the keys of other clients in a secret with the keys that are about to be written.

    It raises a `LostUpdateError` if a key was added, changed or deleted, or a `SecretsError` if Vault does not answer.
    """
    environment, secrets = prepared.source.environment, prepared.secrets
    vault = (prepared.vault_url, environment, prepared.config.vault)

    async def before_write(args: ResourceHookArgs) -> None:
        application = str((args.new_inputs or {})["name"]).rpartition("/")[2]
        present = await in_thread(vault_secrets.read_application, *vault, application)
        now = secrets.foreign_keys(application, present)
        known = secrets.foreign_keys(application, secrets.in_vault(application))
        if changed := sorted(key for key in known.keys() | now.keys() if known.get(key) != now.get(key)):
            raise LostUpdateError(
                f"{application}: another client has changed {', '.join(changed)} in Vault since this program read it, "
                "so the secret was not written: run the same command again"
            )

    return before_write
