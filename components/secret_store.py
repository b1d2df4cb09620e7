import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import pulumi
import pulumi_vault as vault
from pulumi import ResourceOptions

from components import secret_changes
from components.generated_secrets import GeneratedSecrets
from components.secret_inputs import SecretInputs
from config.names import vault_description
from config.vault import Ownership, Vault
from phalanx import policies
from phalanx.environment import Environment
from phalanx.secrets import Copied, Generated, Literal, SecretKey, Static, Wired

_WEEK = 7 * 24 * 3600


class VaultReader(Protocol):
    """Asks Vault what it holds at this moment."""

    def application(self, name: str) -> Mapping[str, str]:
        """The secret of an application, by its keys."""

    def has_role(self) -> bool:
        """Whether there is the environment's AppRole, whoever made it."""


@dataclass(frozen=True, kw_only=True)
class SecretStoreArgs:
    """What a ``SecretStore`` is made from."""

    environment: Environment
    """The Phalanx environment whose secrets these are."""
    settings: Vault
    """Who owns the mounts, and how long tokens live."""
    inputs: SecretInputs
    """What each secret is made from."""
    reader: VaultReader
    """Asks Vault."""
    object_store_keys: Mapping[str, pulumi.Input[str]]
    """The keys of the object store, by the name under which applications read them (secret)."""
    protect: bool
    """Whether to refuse the deletion of the KV mount."""


class SecretStore(pulumi.ComponentResource):
    """The environment's secrets in Vault, and who may read them.

    One KV v2 secret for each application holds every key that it reads. A generated value is kept in the stack's
    (encrypted) state and made once; a value that Vault holds already is taken over. Policies, AppRole and write token
    are those that ``phalanx vault audit`` expects.
    """

    role_id: pulumi.Output[str]
    """The AppRole's role id (secret)."""
    secret_id: pulumi.Output[str]
    """The AppRole's secret id (secret)."""
    credentials_mark: pulumi.Output[str]
    """A mark of these ids: another one for another secret id. It is not secret, and nothing can be told from it."""
    write_token: pulumi.Output[str]
    """A token for ``phalanx secrets sync`` (secret)."""
    path: pulumi.Output[str]
    """Mount and path under which each application has a secret, as Phalanx's ``vaultPathPrefix``."""

    def __init__(self, name: str, args: SecretStoreArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:SecretStore", name, {}, opts)
        self._name = name
        self._args = args
        self._child = ResourceOptions(parent=self)

        self._write_secrets()
        self._let_the_cluster_read()
        self._let_operators_write()
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
        environment, settings = self._args.environment, self._args.settings
        options = self._child
        if settings.mount is Ownership.CREATE:
            mount = vault.Mount(
                f"{self._name}-kv",
                path=environment.vault_mount,
                type="kv",
                options={"version": "2"},
                description=vault_description(pulumi.get_stack()),
                opts=ResourceOptions.merge(self._child, ResourceOptions(protect=self._args.protect)),
            )
            options = ResourceOptions.merge(options, ResourceOptions(depends_on=[mount]))
        # The volumes of databases outlive the stack, so must the passwords in them: deleting the stack leaves both.
        options = ResourceOptions.merge(options, ResourceOptions(retain_on_delete=True))

        values = self._values()
        wrong = secret_changes.find(self._args.inputs).applications
        for application, keys in self._args.inputs.plan.by_application().items():
            planned = {key: values[SecretKey(application, key)] for key in keys}
            vault.kv.SecretV2(
                f"{self._name}-{application}",
                mount=environment.vault_mount,
                name=f"{environment.vault_path}/{application}",
                data_json=pulumi.Output.from_input(planned).apply(partial(self._whole, application)),
                # The provider would write the metadata that it read before its last write over those that people set.
                disable_read=True,
                # Neither the engine nor the provider sees that Vault has lost a secret or has another one: this option,
                # which Vault ignores, makes an update of it. Else it stays what it was.
                options={"written": datetime.now(UTC).isoformat(timespec="seconds")},
                opts=ResourceOptions.merge(
                    options,
                    ResourceOptions(ignore_changes=[] if application in wrong else ["options"]),
                ),
            )

    def _values(self) -> dict[SecretKey, pulumi.Output[str]]:
        """The value of each planned secret; the plan's order has a source before what is made from it."""
        generated = GeneratedSecrets(self._name, self._args.inputs, self._child)
        values: dict[SecretKey, pulumi.Output[str]] = {}
        for at, planned in self._args.inputs.plan.items():
            match planned.origin:
                case Literal(value):
                    values[at] = pulumi.Output.secret(value)
                case Copied(source):
                    values[at] = values[source]
                case Generated():
                    values[at] = generated.value(at, planned.origin, values)
                case Wired():
                    values[at] = pulumi.Output.secret(self._args.object_store_keys[at.key])
                case Static():
                    values[at] = pulumi.Output.secret(self._args.inputs.static[at])
        return values

    def _whole(self, application: str, planned: Mapping[str, str]) -> str:
        """An application's secret as JSON.

        The provider writes a secret as a whole, so what others keep in it is written back (docs/decisions/0008). It is
        read just before that: what a person writes while an update is under way survives.
        """
        inputs = self._args.inputs
        held = (
            inputs.in_vault(application) if pulumi.runtime.is_dry_run() else self._args.reader.application(application)
        )
        return json.dumps({**planned, **inputs.of_others(application, held)}, sort_keys=True)

    def _let_the_cluster_read(self) -> None:
        environment, settings = self._args.environment, self._args.settings.approle
        policy = vault.Policy(
            f"{self._name}-read",
            name=environment.vault_read_policy,
            policy=policies.read_policy(environment.vault_mount, environment.vault_path),
            opts=self._child,
        )
        options = self._child
        if settings.ownership is Ownership.CREATE:
            backend = vault.AuthBackend(
                f"{self._name}-approle",
                type="approle",
                path=settings.path,
                description=vault_description(pulumi.get_stack()),
                opts=self._child,
            )
            options = ResourceOptions.merge(options, ResourceOptions(depends_on=[backend]))
        # The provider cannot make a role over one that somebody else has made (Vault: "local_secret_ids can only be
        # modified during role creation"), so that one is imported. To a role of the stack itself that changes nothing.
        taken_over = f"auth/{settings.path}/role/{environment.vault_role}" if self._args.reader.has_role() else None
        role = vault.approle.AuthBackendRole(
            f"{self._name}-role",
            backend=settings.path,
            role_name=environment.vault_role,
            token_policies=[policy.name],
            token_type="service",  # noqa: S106  # a kind of token
            token_ttl=settings.token_ttl,
            token_max_ttl=settings.token_max_ttl,
            opts=ResourceOptions.merge(
                options,
                ResourceOptions(additional_secret_outputs=["role_id"], import_=taken_over),
            ),
        )
        secret_id = vault.approle.AuthBackendRoleSecretId(
            f"{self._name}-secret-id",
            backend=settings.path,
            role_name=role.role_name,
            opts=ResourceOptions.merge(
                options,
                ResourceOptions(replacement_trigger=settings.secret_id_rotation),
            ),
        )
        self.role_id = pulumi.Output.secret(role.role_id)
        self.secret_id = secret_id.secret_id
        self.credentials_mark = secret_id.accessor.apply(
            lambda accessor: hashlib.sha256(accessor.encode()).hexdigest()[:16],
        )

    def _let_operators_write(self) -> None:
        environment, settings = self._args.environment, self._args.settings
        policy = vault.Policy(
            f"{self._name}-write",
            name=environment.vault_write_policy,
            policy=policies.write_policy(environment.vault_mount, environment.vault_path),
            opts=self._child,
        )
        # The provider calls it a legacy resource, for its value is kept in the state; ours is encrypted, and the SDK
        # has no other that lasts longer than a run.
        token = vault.Token(
            f"{self._name}-write-token",
            # Vault puts "token-" before it; `phalanx vault audit` looks for that name.
            display_name=environment.vault_role,
            policies=[policy.name],
            ttl=f"{settings.write_token_ttl}s",
            # A child would die with the short-lived token of this run.
            no_parent=True,
            renewable=True,
            # The provider looks at it during a refresh only: it renews it in the week in which Phalanx warns.
            renew_min_lease=_WEEK,
            renew_increment=settings.write_token_ttl,
            opts=self._child,
        )
        self.write_token = pulumi.Output.secret(token.client_token)
