import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

import pulumi
import pulumi_vault as vault
from pulumi import ResourceOptions

from components.generated_secrets import GeneratedSecrets
from components.secret_access import AppRoleArgs, cluster_login, write_token
from config.names import vault_description
from phalanx import secret_changes
from phalanx.environment import Environment
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Copied, Generated, Literal, SecretKey, Static, Wired


@dataclass(frozen=True, kw_only=True)
class SecretStoreArgs:
    """Arguments of a `SecretStore`."""

    environment: Environment
    """The Phalanx environment, with the names of its mount, path, policies and role."""
    create_mount: bool
    """True to create the environment's KV engine."""
    approle: AppRoleArgs
    """Arguments of the AppRole."""
    write_token_ttl: int
    """Lifetime of the write token in seconds."""
    inputs: SecretInputs
    """Origin and known value of each secret."""
    mount_exists: bool
    """True if Vault has the environment's KV engine, whoever created it."""
    read_application: Callable[[str], Mapping[str, str]]
    """Function that reads the current secret of an application from Vault, by key."""
    object_store_keys: Mapping[str, pulumi.Input[str]]
    """Keys of the object store, by the name under which applications read them (secret)."""
    protect: bool
    """True to refuse the deletion of the KV mount."""


class SecretStore(pulumi.ComponentResource):
    """The environment's secrets in Vault, and the access to them.

    One KV v2 secret per application contains all keys that it reads. A value is generated once and stored in the
    stack's encrypted state; an existing value in Vault is adopted. Policies, AppRole and write token are those that
    ``phalanx vault audit`` expects.
    """

    role_id: pulumi.Output[str]
    """Role ID of the AppRole (secret)."""
    secret_id: pulumi.Output[str]
    """Secret ID of the AppRole (secret)."""
    credentials_fingerprint: pulumi.Output[str]
    """Fingerprint of these IDs, which changes with the secret ID and is not secret."""
    write_token: pulumi.Output[str]
    """A token for ``phalanx secrets sync`` (secret)."""
    path: pulumi.Output[str]
    """Mount and path under which each application has a secret, as Phalanx's ``vaultPathPrefix``."""

    def __init__(self, name: str, args: SecretStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:SecretStore", name, None, opts)
        self._name = name
        self._args = args
        self._child = ResourceOptions(parent=self)

        self._write_secrets()
        login = cluster_login(name, args.environment, args.approle, self._child)
        self.role_id, self.secret_id, self.credentials_fingerprint = login.role_id, login.secret_id, login.fingerprint
        self.write_token = write_token(name, args.environment, args.write_token_ttl, self._child)
        self.path = pulumi.Output.from_input(args.environment.vault_path_prefix)
        self.register_outputs(
            {
                "roleId": self.role_id,
                "secretId": self.secret_id,
                "writeToken": self.write_token,
                "path": self.path,
            },
        )

    def _write_secrets(self) -> None:
        environment = self._args.environment
        # Volumes of databases outlive the stack, so their passwords must, too.
        options = kept = ResourceOptions.merge(self._child, ResourceOptions(retain_on_delete=True))
        if self._args.create_mount:
            mount = vault.Mount(
                f"{self._name}-kv",
                path=environment.vault_mount,
                type="kv",
                options={"version": "2"},
                description=vault_description(pulumi.get_stack()),
                # A stack that is created again adopts the mount of its predecessor.
                opts=ResourceOptions.merge(
                    kept,
                    ResourceOptions(
                        protect=self._args.protect,
                        import_=environment.vault_mount if self._args.mount_exists else None,
                    ),
                ),
            )
            options = ResourceOptions.merge(kept, ResourceOptions(depends_on=[mount]))

        values = self._values()
        outdated = secret_changes.find(self._args.inputs).applications
        for application, keys in self._args.inputs.plan.by_application().items():
            planned = {key: values[SecretKey(application, key)] for key in keys}
            vault.kv.SecretV2(
                f"{self._name}-{application}",
                mount=environment.vault_mount,
                name=f"{environment.vault_path}/{application}",
                data_json=pulumi.Output.from_input(planned).apply(partial(self._document, application)),
                # Otherwise the provider would overwrite custom metadata with those that it read before its last write.
                disable_read=True,
                # Neither the engine nor the provider detects that a secret is missing or changed in Vault: a change of
                # this option, which Vault ignores, causes an update.
                options={"written": datetime.now(UTC).isoformat(timespec="seconds")},
                opts=ResourceOptions.merge(
                    options,
                    ResourceOptions(ignore_changes=[] if application in outdated else ["options"]),
                ),
            )

    def _values(self) -> dict[SecretKey, pulumi.Output[str]]:
        """Return the value of each planned secret; in the plan, a source precedes the secrets derived from it."""
        generated = GeneratedSecrets(self._name, self._args.inputs, self._child)
        values: dict[SecretKey, pulumi.Output[str]] = {}
        for key, planned in self._args.inputs.plan.items():
            match planned.origin:
                case Literal(value):
                    values[key] = pulumi.Output.secret(value)
                case Copied(source):
                    values[key] = values[source]
                case Generated():
                    values[key] = generated.value(key, planned.origin, values)
                case Wired():
                    values[key] = pulumi.Output.secret(self._args.object_store_keys[key.name])
                case Static():
                    values[key] = pulumi.Output.secret(self._args.inputs.static[key])
        return values

    def _document(self, application: str, planned: Mapping[str, str]) -> str:
        """Return an application's secret as JSON.

        The provider replaces the whole secret, so keys of other writers are included (docs/decisions/0008).
        """
        inputs = self._args.inputs
        if pulumi.runtime.is_dry_run():
            # All values are known here: a value that is to be generated again would be unknown.
            warn_of_edited(self._name, secret_changes.edited(inputs, application, planned))
            held: Mapping[str, str] = inputs.in_vault(application)
        else:
            # An exception to the rule that no `apply` sends requests: in a first installation, the values read before
            # the first resource may be half an hour old, and would revert later changes of other writers. Vault's
            # provider cannot patch a secret, and its functions that read one are deprecated.
            held = self._args.read_application(application)
        return json.dumps({**planned, **inputs.foreign_keys(application, held)}, sort_keys=True)


def warn_of_edited(name: str, found: Collection[SecretKey]) -> None:
    """Warn of secrets that were changed in Vault, which neither the engine nor the provider detects.

    Args:
        name: Prefix of the resources' names.
        found: Secrets of one application, from `edited`.
    """
    for key in found:
        pulumi.warn(
            f"{key}: was changed in Vault, and the next update of this secret restores the stack's value. To restore "
            f"it now: `pulumi up --replace '**::{name}-{key.application}'`; to adopt the value in Vault: "
            f"`pulumi up --replace '**::{name}-{key.application}-{key.name}'`",
        )
