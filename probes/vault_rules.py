"""Capabilities in Vault that the program requires, by path.

The rules cover the requests of this program and of its provider (terraform-provider-vault: vault/resource_*.go). Where
a token could extend its own permissions - by the text of a policy, or the policies of a role or another token - a rule
allows only the value that the program writes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.vault import Ownership, Vault
from phalanx import policies
from phalanx.environment import Environment


@dataclass(frozen=True, kw_only=True)
class PathRule:
    """Capabilities that the program requires at a path."""

    path: str
    """Path as in a policy; ``+`` matches the name of any application."""
    purpose: str
    for_preview: tuple[str, ...] = ()
    """Capabilities that a preview requires, also with ``--refresh``."""
    for_update: tuple[str, ...] = ()
    """Additional capabilities that ``up`` and ``destroy`` require."""
    allowed: Mapping[str, list[Any]] = field(default_factory=dict)
    """Values that are allowed for a parameter of an update; an empty list allows any."""
    denied: tuple[str, ...] = ()
    """Parameters that an update must not have."""
    required: tuple[str, ...] = ()
    """Parameters that an update must have."""
    applies: bool = True
    """False for an engine or auth method that the stack does not create."""


def rules(environment: Environment, settings: Vault) -> list[PathRule]:
    """Return the rules of a stack.

    Args:
        environment: The Phalanx environment, with the names of its mount, path, policies and role.
        settings: The stack's settings of Vault.
    """
    mount, path = environment.vault_mount, environment.vault_path
    return [
        PathRule(
            path=f"{mount}/data/{path}/+",
            purpose="Secrets of the applications",
            for_preview=("read",),
            for_update=("create", "update", "delete"),
        ),
        PathRule(path=f"{mount}/metadata/{path}", purpose="Names of these secrets", for_preview=("list",)),
        PathRule(path=f"{mount}/metadata/{path}/+", purpose="Versions of these secrets", for_preview=("read",)),
        *_mount(mount, applies=settings.mount is Ownership.CREATE),
        *_auth_method(settings.approle.path, applies=settings.approle.ownership is Ownership.CREATE),
        _policy(environment.vault_read_policy, policies.read_policy(mount, path)),
        _policy(environment.vault_write_policy, policies.write_policy(mount, path)),
        *_role(f"auth/{settings.approle.path}/role/{environment.vault_role}", environment.vault_read_policy),
        *_tokens(environment.vault_write_policy),
        PathRule(path="auth/token/lookup-self", purpose="Lifetime of this token", for_preview=("read",)),
        PathRule(path="sys/capabilities-self", purpose="Capabilities of this token", for_preview=("update",)),
    ]


def _mount(mount: str, *, applies: bool) -> Iterator[PathRule]:
    yield PathRule(
        path=f"sys/mounts/{mount}",
        purpose="KV engine (rsp:vault.mount: create)",
        for_preview=("read",),
        for_update=("update", "delete"),
        allowed={"type": ["kv"], "*": []},
        applies=applies,
    )
    yield PathRule(
        path=f"sys/mounts/{mount}/tune", purpose="Description of the engine", for_update=("update",), applies=applies
    )
    yield PathRule(path=f"{mount}/config", purpose="Readiness of a new engine", for_preview=("read",), applies=applies)


def _auth_method(path: str, *, applies: bool) -> Iterator[PathRule]:
    yield PathRule(
        path=f"sys/auth/{path}",
        purpose="AppRole auth method (rsp:vault.approle.ownership: create), for which Vault requires sudo",
        for_update=("update", "delete", "sudo"),
        allowed={"type": ["approle"], "*": []},
        applies=applies,
    )
    yield PathRule(
        path=f"sys/mounts/auth/{path}", purpose="Existence of the auth method", for_preview=("read",), applies=applies
    )
    yield PathRule(
        path=f"sys/mounts/auth/{path}/tune",
        purpose="Description of the auth method",
        for_preview=("read",),
        for_update=("update",),
        applies=applies,
    )


def _policy(name: str, text: str) -> PathRule:
    return PathRule(
        path=f"sys/policies/acl/{name}",
        purpose="Policy of Phalanx, with exactly this text",
        for_preview=("read",),
        for_update=("update", "delete"),
        allowed={"policy": [text]},
    )


def _role(path: str, policy: str) -> Iterator[PathRule]:
    yield PathRule(
        path=path,
        purpose="AppRole of the cluster, with exactly this policy",
        for_preview=("read",),
        for_update=("create", "update", "delete"),
        allowed={"token_policies": [[policy]], "*": []},
        denied=("policies",),
    )
    yield PathRule(path=f"{path}/role-id", purpose="Role ID of the cluster", for_preview=("read",))
    yield PathRule(path=f"{path}/secret-id", purpose="Secret IDs of the cluster", for_update=("update", "list"))
    yield PathRule(path=f"{path}/secret-id-accessor/lookup", purpose="Validity of a secret ID", for_preview=("update",))
    yield PathRule(
        path=f"{path}/secret-id-accessor/destroy", purpose="Revocation of a secret ID", for_update=("update",)
    )


def _tokens(policy: str) -> Iterator[PathRule]:
    yield PathRule(
        path="auth/token/create",
        purpose="Write token, an orphan with another policy, for which Vault requires sudo",
        for_update=("update", "sudo"),
        allowed={"policies": [[policy]], "*": []},
        required=("policies",),
    )
    yield PathRule(path="auth/token/lookup-accessor", purpose="Validity of the write token", for_preview=("update",))
    # A refresh renews the token in its last week. If that fails, the provider removes it from the state, and a preview
    # shows a new one.
    yield PathRule(path="auth/token/renew", purpose="Renewal of the write token", for_preview=("update",))
    yield PathRule(path="auth/token/revoke-accessor", purpose="Revocation of the write token", for_update=("update",))
