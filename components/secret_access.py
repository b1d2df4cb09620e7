"""Access to the secrets in Vault: read access of the cluster, and write access of Phalanx's tools."""

import hashlib
from dataclasses import dataclass

import pulumi
import pulumi_vault as vault
from pulumi import ResourceOptions

from config.names import vault_description

_WEEK = 7 * 24 * 3600


@dataclass(frozen=True, kw_only=True)
class AppRoleArgs:
    """Arguments of the AppRole with which the cluster reads the environment's secrets."""

    name: str
    """Name of the AppRole."""
    exists: bool
    """True if Vault has the AppRole, whoever created it."""
    policy: str
    """Name of its policy, which allows reading the environment's secrets, and nothing else."""
    path: str
    """Path of the AppRole auth method."""
    create_auth_method: bool
    """True to enable the auth method."""
    auth_method_exists: bool
    """True if Vault has the auth method, whoever enabled it."""
    token_ttl: int
    """Lifetime of a token in seconds."""
    token_max_ttl: int
    """Lifetime in seconds after which a token cannot be renewed."""
    secret_id_rotation: str
    """Any text; a change of it creates a new secret ID."""


@dataclass(frozen=True, kw_only=True)
class WriteTokenArgs:
    """Arguments of the token for ``phalanx secrets sync``."""

    display_name: str
    """Display name, which `phalanx vault audit` looks for; Vault adds the prefix ``token-``."""
    policy: str
    """Name of its policy."""
    ttl: int
    """Lifetime in seconds."""


@dataclass(frozen=True, kw_only=True)
class AppRoleCredentials:
    """The cluster's AppRole credentials."""

    role_id: pulumi.Output[str]
    """Role ID of the AppRole (secret)."""
    secret_id: pulumi.Output[str]
    """Secret ID of the AppRole (secret)."""
    fingerprint: pulumi.Output[str]
    """Fingerprint that changes with the secret ID. It is not secret, and reveals nothing about the secret ID."""


def cluster_login(name: str, args: AppRoleArgs, policy_text: str, opts: ResourceOptions) -> AppRoleCredentials:
    """Create the AppRole and its policy.

    Args:
        name: Prefix of the resources' names.
        args: Arguments of the AppRole.
        policy_text: Text of the policy.
        opts: Options of each resource.
    """
    policy = vault.Policy(f"{name}-read", name=args.policy, policy=policy_text, opts=opts)
    options = opts
    if args.create_auth_method:
        backend = vault.AuthBackend(
            f"{name}-approle",
            type="approle",
            path=args.path,
            description=vault_description(pulumi.get_stack()),
            # Other environments may use it, so it is never disabled, nor moved (the provider would call sys/remount): a
            # stack that is created again adopts it. Import IDs as for the role.
            opts=ResourceOptions.merge(
                opts,
                ResourceOptions(
                    retain_on_delete=True,
                    replace_on_changes=["path"],
                    import_=args.path if args.auth_method_exists else None,
                ),
            ),
        )
        options = ResourceOptions.merge(opts, ResourceOptions(depends_on=[backend]))
    # The provider cannot create a role that already exists (Vault: "local_secret_ids can only be modified during role
    # creation"), so an existing one is imported. This has no effect on a role in the stack's state, but the engine
    # refuses its replacement ("previously-imported resources that still specify an ID may not be replaced"), which the
    # provider could not perform either, for the reason above. `vault delete` and `pulumi up --refresh` replace it.
    import_id = f"auth/{args.path}/role/{args.name}" if args.exists else None
    role = vault.approle.AuthBackendRole(
        f"{name}-role",
        backend=args.path,
        role_name=args.name,
        token_policies=[policy.name],
        token_type="service",  # noqa: S106  # a type of token
        token_ttl=args.token_ttl,
        token_max_ttl=args.token_max_ttl,
        opts=ResourceOptions.merge(options, ResourceOptions(additional_secret_outputs=["role_id"], import_=import_id)),
    )
    secret_id = vault.approle.AuthBackendRoleSecretId(
        f"{name}-secret-id",
        backend=args.path,
        role_name=role.role_name,
        opts=ResourceOptions.merge(options, ResourceOptions(replacement_trigger=args.secret_id_rotation)),
    )
    return AppRoleCredentials(
        role_id=pulumi.Output.secret(role.role_id),
        secret_id=secret_id.secret_id,
        fingerprint=secret_id.accessor.apply(lambda accessor: hashlib.sha256(accessor.encode()).hexdigest()[:16]),
    )


def write_token(name: str, args: WriteTokenArgs, policy_text: str, opts: ResourceOptions) -> pulumi.Output[str]:
    """Create the token and its policy.

    Args:
        name: Prefix of the resources' names.
        args: Arguments of the token.
        policy_text: Text of the policy.
        opts: Options of each resource.

    Returns:
        The token (secret).
    """
    policy = vault.Policy(f"{name}-write", name=args.policy, policy=policy_text, opts=opts)
    # The provider calls this resource legacy because its value is stored in the state; ours is encrypted, and the SDK
    # has no other resource whose token outlives a run.
    token = vault.Token(
        f"{name}-write-token",
        display_name=args.display_name,
        policies=[policy.name],
        ttl=f"{args.ttl}s",
        # A child token would be revoked together with the short-lived token of this run.
        no_parent=True,
        renewable=True,
        # The provider renews it only during a refresh, in the last week, in which Phalanx warns.
        renew_min_lease=_WEEK,
        renew_increment=args.ttl,
        opts=opts,
    )
    return pulumi.Output.secret(token.client_token)
