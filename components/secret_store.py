import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import pulumi
import pulumi_vault as vault
from pulumi import ResourceOptions

from components.generated_secrets import GeneratedSecrets
from components.secret_access import AppRoleArgs, WriteTokenArgs, cluster_login, write_token
from config.names import vault_description
from phalanx import policies, secret_changes
from phalanx.secret_inputs import SecretInputs
from phalanx.secrets import Copied, Generated, Literal, SecretKey, Static, Wired


@dataclass(frozen=True, kw_only=True)
class SecretStoreArgs:
    """Arguments of a `SecretStore`."""

    mount: str
    """Mount of the environment's KV engine."""
    create_mount: bool
    """True to create the engine."""
    mount_exists: bool
    """True if Vault has the engine, whoever created it."""
    path: str
    """Path in the engine under which each application has a secret."""
    approle: AppRoleArgs
    """Arguments of the cluster's AppRole."""
    write_token: WriteTokenArgs
    """Arguments of the write token."""
    secrets: SecretInputs
    """Origin and known value of each secret."""
    read_at: datetime
    """Time at which the existing secrets were read from Vault, in UTC."""
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
        login = cluster_login(name, args.approle, policies.read_policy(args.mount, args.path), self._child)
        self.role_id, self.secret_id, self.credentials_fingerprint = login.role_id, login.secret_id, login.fingerprint
        write_policy = policies.write_policy(args.mount, args.path)
        self.write_token = write_token(name, args.write_token, write_policy, self._child)
        self.path = pulumi.Output.from_input(f"{args.mount}/{args.path}")
        self.register_outputs(
            {
                "roleId": self.role_id,
                "secretId": self.secret_id,
                "writeToken": self.write_token,
                "path": self.path,
            },
        )

    def _write_secrets(self) -> None:
        # Volumes of databases outlive the stack, so their passwords must, too.
        options = kept = ResourceOptions.merge(self._child, ResourceOptions(retain_on_delete=True))
        if self._args.create_mount:
            mount = vault.Mount(
                f"{self._name}-kv",
                path=self._args.mount,
                type="kv",
                options={"version": "2"},
                description=vault_description(pulumi.get_stack()),
                # A stack that is created again adopts the mount of its predecessor. The engine refuses `--replace` of a
                # resource with an import ID; here it would delete all secrets.
                opts=ResourceOptions.merge(
                    kept,
                    ResourceOptions(
                        protect=self._args.protect,
                        import_=self._args.mount if self._args.mount_exists else None,
                    ),
                ),
            )
            options = ResourceOptions.merge(kept, ResourceOptions(depends_on=[mount]))

        generated = GeneratedSecrets(self._name, self._args.secrets, self._child)
        values = self._values(generated)
        outdated = secret_changes.find(self._args.secrets).applications
        for application, keys in self._args.secrets.plan.by_application().items():
            planned = {key: values[SecretKey(application, key)] for key in keys}
            vault.kv.SecretV2(
                f"{self._name}-{application}",
                mount=self._args.mount,
                name=f"{self._args.path}/{application}",
                data_json=pulumi.Output.all(planned, generated.rotated).apply(partial(self._document, application)),
                # Otherwise the provider would overwrite custom metadata with those that it read before its last write.
                disable_read=True,
                # Neither the engine nor the provider detects that a secret is missing or changed in Vault: a change of
                # this option, which Vault ignores, causes an update (docs/decisions/0008).
                options={"written": self._args.read_at.isoformat(timespec="seconds")},
                opts=ResourceOptions.merge(
                    options,
                    ResourceOptions(ignore_changes=[] if application in outdated else ["options"]),
                ),
            )

    def _values(self, generated: GeneratedSecrets) -> dict[SecretKey, pulumi.Output[str]]:
        """Return the value of each planned secret; in the plan, a source precedes the secrets derived from it."""
        values: dict[SecretKey, pulumi.Output[str]] = {}
        for key, planned in self._args.secrets.plan.items():
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
                    values[key] = pulumi.Output.secret(self._args.secrets.static[key])
        return values

    def _document(self, application: str, known: Sequence[Any]) -> str:
        """Return an application's secret as JSON.

        The provider replaces the whole secret, so keys of other clients are included (docs/decisions/0008).

        Args:
            application: Name of the application.
            known: Values of the planned keys, and the names of the secrets that were rotated.
        """
        secrets, (planned, rotated) = self._args.secrets, known
        if pulumi.runtime.is_dry_run():
            # All values are known here: a value that is to be generated again would be unknown.
            edited = secret_changes.edited(secrets, application, planned)
            warn_of_edited(self._name, {key: secret_changes.holders(secrets.plan, key) for key in edited}, rotated)
        foreign = secrets.foreign_keys(application, secrets.in_vault(application))
        return json.dumps({**planned, **foreign}, sort_keys=True)


def warn_of_edited(name: str, found: Mapping[SecretKey, Collection[str]], rotated: Collection[str]) -> None:
    """Warn about secrets that were changed in Vault, which neither the engine nor the provider detects.

    Args:
        name: Prefix of the resources' names.
        found: Secrets of one application, from `edited`, each with the applications that use its value.
        rotated: Secrets that the stack has rotated, of which a replaced Stash generates another value.
    """
    for key, applications in found.items():
        adopt = (
            "; the value in Vault cannot be adopted, as the stack has rotated this secret"
            if str(key) in rotated
            else f"; to adopt the value in Vault: `pulumi up --replace '**::{name}-{key.application}-{key.name}'`"
        )
        written = " ".join(f"--replace '**::{name}-{each}'" for each in applications)
        pulumi.warn(
            f"{key}: was changed in Vault, and the next update of this secret restores the stack's value. To restore "
            f"it now, with its copies: `pulumi up {written}`{adopt}"
        )
