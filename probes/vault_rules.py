"""What the program does in Vault, path by path.

The rules are what this program and pulumi-vault's provider ask for (terraform-provider-vault: vault/resource_*.go).
Where Vault would let a token give itself more - by the text of a policy, the policies of a role or of another token -
the rule allows the very value that the program writes, and no other.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from config.vault import Ownership, Vault
from phalanx import policies
from phalanx.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Rule:
    """What the program does at a path."""

    path: str
    """As in a policy: ``+`` stands for the name of each application."""
    why: str
    look: tuple[str, ...] = ()
    """Capabilities that a preview needs, one with ``--refresh`` included."""
    change: tuple[str, ...] = ()
    """Those that ``up`` and ``destroy`` need besides."""
    allowed: Mapping[str, list[Any]] = field(default_factory=dict)
    """Values that a parameter of a change may have; an empty list allows any."""
    denied: tuple[str, ...] = ()
    """Parameters that a change must not have."""
    required: tuple[str, ...] = ()
    """Parameters that a change must have."""
    applies: bool = True
    """False where the stack finds what it could make itself."""


def rules(environment: Environment, settings: Vault) -> list[Rule]:
    """List what the program does in Vault.

    Args:
        environment: The Phalanx environment: mount, path, names of role and policies.
        settings: What the stack makes itself.
    """
    mount, path = environment.vault_mount, environment.vault_path
    return [
        Rule(
            path=f"{mount}/data/{path}/+",
            why="The secrets of the applications",
            look=("read",),
            change=("create", "update", "delete"),
        ),
        Rule(path=f"{mount}/metadata/{path}", why="Their names", look=("list",)),
        Rule(path=f"{mount}/metadata/{path}/+", why="Their versions", look=("read",)),
        *_mount(mount, applies=settings.mount is Ownership.CREATE),
        *_auth_method(settings.approle.path, applies=settings.approle.ownership is Ownership.CREATE),
        _policy(environment.vault_read_policy, policies.read_policy(mount, path)),
        _policy(environment.vault_write_policy, policies.write_policy(mount, path)),
        *_role(f"auth/{settings.approle.path}/role/{environment.vault_role}", environment.vault_read_policy),
        *_tokens(environment.vault_write_policy),
        Rule(path="auth/token/lookup-self", why="How long this token lives", look=("read",)),
        Rule(path="sys/capabilities-self", why="What this token may do", look=("update",)),
    ]


def _mount(mount: str, *, applies: bool) -> Iterator[Rule]:
    yield Rule(
        path=f"sys/mounts/{mount}",
        why="The KV engine (rsp:vault.mount: create)",
        look=("read",),
        change=("update", "delete"),
        allowed={"type": ["kv"], "*": []},
        applies=applies,
    )
    yield Rule(path=f"sys/mounts/{mount}/tune", why="Its description", change=("update",), applies=applies)
    yield Rule(path=f"{mount}/config", why="Whether a new engine is ready", look=("read",), applies=applies)


def _auth_method(path: str, *, applies: bool) -> Iterator[Rule]:
    yield Rule(
        path=f"sys/auth/{path}",
        why="The AppRole auth method (rsp:vault.approle.ownership: create); Vault asks for sudo there",
        change=("update", "delete", "sudo"),
        allowed={"type": ["approle"], "*": []},
        applies=applies,
    )
    yield Rule(path=f"sys/mounts/auth/{path}", why="Whether it is there", look=("read",), applies=applies)
    yield Rule(
        path=f"sys/mounts/auth/{path}/tune",
        why="Its description",
        look=("read",),
        change=("update",),
        applies=applies,
    )


def _policy(name: str, text: str) -> Rule:
    return Rule(
        path=f"sys/policies/acl/{name}",
        why="A policy of Phalanx, with its text and no other",
        look=("read",),
        change=("update", "delete"),
        allowed={"policy": [text]},
    )


def _role(path: str, policy: str) -> Iterator[Rule]:
    yield Rule(
        path=path,
        why="The AppRole of the cluster, for that policy and no other",
        look=("read",),
        change=("create", "update", "delete"),
        allowed={"token_policies": [[policy]], "*": []},
        denied=("policies",),
    )
    yield Rule(path=f"{path}/role-id", why="What the cluster logs in with", look=("read",))
    yield Rule(path=f"{path}/secret-id", why="Likewise", change=("update", "list"))
    yield Rule(path=f"{path}/secret-id-accessor/lookup", why="Whether it is still valid", look=("update",))
    yield Rule(path=f"{path}/secret-id-accessor/destroy", why="Its end", change=("update",))


def _tokens(policy: str) -> Iterator[Rule]:
    yield Rule(
        path="auth/token/create",
        why="The write token: it outlives this one and has another policy, for which Vault asks for sudo",
        change=("update", "sudo"),
        allowed={"policies": [[policy]], "*": []},
        required=("policies",),
    )
    yield Rule(path="auth/token/lookup-accessor", why="Whether it is still valid", look=("update",))
    yield Rule(path="auth/token/renew", why="Its life", change=("update",))
    yield Rule(path="auth/token/revoke-accessor", why="Its end", change=("update",))
