"""What stands in Vault already where the stack wants to make something, and whether it is what Phalanx needs."""

import difflib
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from config.names import vault_description
from config.vault import AppRole, Ownership, Vault
from phalanx import policies
from phalanx.environment import Environment
from probes.problem import Problem

if TYPE_CHECKING:
    import hvac

Mounts = Mapping[str, Mapping[str, Any]]
"""Secret engines or auth methods by their path, which ends in a slash."""


def check(client: "hvac.Client", environment: Environment, settings: Vault, stack: str) -> Iterator[Problem]:
    """Compare what Vault has with what the stack makes or expects.

    Args:
        client: Vault, with a token that may look at it.
        environment: The Phalanx environment.
        settings: What the stack makes itself.
        stack: Name of the stack.
    """
    yield from check_mount(client, environment, settings, stack)
    yield from _check_auth_method(visible(client, "auth"), settings.approle, stack)
    role = _read(client, f"auth/{settings.approle.path}/role/{environment.vault_role}")
    yield from _check_policies(client, environment, stack, has_role=role is not None)
    if role is not None:
        yield from _check_role(role, environment, settings.approle)


def check_mount(client: "hvac.Client", environment: Environment, settings: Vault, stack: str) -> Iterator[Problem]:
    """Look at the engine that holds the secrets; arguments as for `check`."""
    yield from _check_engine(visible(client, "secret"), environment.vault_mount, settings.mount, stack)


def visible(client: "hvac.Client", kind: str) -> Mounts:
    """What the token may use at all; a path that is not named is free, or somebody else's.

    Args:
        client: Vault.
        kind: ``secret`` for engines, ``auth`` for auth methods.
    """
    answer: Any = client.adapter.get("/v1/sys/internal/ui/mounts")
    mounts: Mounts = answer["data"][kind]
    return mounts


def _read(client: "hvac.Client", path: str) -> Mapping[str, Any] | None:
    from hvac import exceptions  # noqa: PLC0415  # see vault_client.connect

    try:
        answer: Any = client.adapter.get(f"/v1/{path}")
    except exceptions.InvalidPath:
        return None
    data: Mapping[str, Any] = answer["data"]
    return data


def _check_engine(mounts: Mounts, path: str, ownership: Ownership, stack: str) -> Iterator[Problem]:
    found, where = mounts.get(f"{path}/"), "rsp:vault.mount"
    if found is None:
        if ownership is Ownership.EXISTING:
            yield Problem(
                where=where,
                what=f"`existing`, but Vault has no mount `{path}` that this token may use: create it "
                f"(`vault secrets enable -path={path} kv-v2`) or say `create`",
            )
        return
    version = (found["options"] or {}).get("version", "1")
    if found["type"] != "kv":
        yield Problem(
            where=where,
            what=f"Vault's mount `{path}` is of type {found['type']}, Phalanx needs KV version 2: choose another mount "
            "by vaultPathPrefix in the Phalanx environment",
        )
    elif version != "2":
        yield Problem(
            where=where,
            what=f"Vault's mount `{path}` is KV version {version}, Phalanx needs version 2: "
            f"`vault kv enable-versioning {path}` turns it into one and keeps what it holds",
        )
    elif ownership is Ownership.CREATE and found["description"] != vault_description(stack):
        yield _not_ours(where, f"mount `{path}`", found, f"vault secrets tune -description='{{}}' {path}", stack)


def _check_auth_method(methods: Mounts, settings: AppRole, stack: str) -> Iterator[Problem]:
    found, where = methods.get(f"{settings.path}/"), "rsp:vault.approle.ownership"
    if found is None:
        if settings.ownership is Ownership.EXISTING:
            yield Problem(
                where=where,
                what=f"`existing`, but Vault has no auth method at `{settings.path}` that this token may use: enable "
                f"it (`vault auth enable -path={settings.path} approle`) or say `create`",
            )
    elif found["type"] != "approle":
        yield Problem(
            where="rsp:vault.approle.path",
            what=f"Vault's auth method at `{settings.path}` is of type {found['type']}, not approle: name another path",
        )
    elif settings.ownership is Ownership.CREATE and found["description"] != vault_description(stack):
        name = f"auth method `{settings.path}`"
        yield _not_ours(where, name, found, f"vault auth tune -description='{{}}' {settings.path}", stack)


def _not_ours(where: str, name: str, found: Mapping[str, Any], tune: str, stack: str) -> Problem:
    """Vault answers "path is already in use" to whoever makes it again, which is halfway through an `up`.

    Its description is the only mark that a stack can leave, and what tells its own mount in its second run.
    """
    return Problem(
        where=where,
        what=f"`create`, but Vault has the {name} already, described as {found['description']!r}: say `existing`; "
        f"if it is in the state of this stack, mark it so: `{tune.format(vault_description(stack))}`",
    )


def _check_policies(
    client: "hvac.Client",
    environment: Environment,
    stack: str,
    *,
    has_role: bool,
) -> Iterator[Problem]:
    """Compare the texts to the letter, as `phalanx vault audit` does (src/phalanx/services/vault.py).

    A policy that differs stops the program whoever made it. The provider would write over one that it did not make
    without a word, and somebody may use it; and it would not see that one of its own was edited, as `up` compares with
    the state and not with Vault. Both are mended by the same two commands, so that nobody is locked out: once the
    policy is gone there is no difference any more, and the refresh finds out that it has to be made.
    """
    mount, path = environment.vault_mount, environment.vault_path
    for name, expected in (
        (environment.vault_read_policy, policies.read_policy(mount, path)),
        (environment.vault_write_policy, policies.write_policy(mount, path)),
    ):
        found = _read(client, f"sys/policies/acl/{name}")
        where = f"Vault's policy {name}"
        if found is None and has_role and name == environment.vault_read_policy:
            yield Problem(
                where=where,
                what=f"is not there, though the role {environment.vault_role} needs it: `pulumi up` alone may take it "
                f"for made, `pulumi up --refresh -s {stack}` makes it again",
                fatal=False,
            )
        elif found is not None and found["policy"] != expected:
            yield Problem(
                where=where,
                what="is not the one that Phalanx expects. See who needs what it says, then have it made again: "
                f"`vault policy delete {name}` and `pulumi up --refresh -s {stack}`\n"
                f"{_difference(found['policy'], expected)}",
            )


def _difference(found: str, expected: str) -> str:
    lines = difflib.unified_diff(found.splitlines(), expected.splitlines(), "in Vault", "expected", n=0, lineterm="")
    told = [line for line in lines if not line.startswith("@@")]
    return "\n".join(f"    {line}" for line in told or ["only the line break at its end differs"])


def _check_role(found: Mapping[str, Any], environment: Environment, settings: AppRole) -> Iterator[Problem]:
    """A role is written over without a word, and what the stack does not say of it stays: nobody is to be surprised."""
    path = f"auth/{settings.path}/role/{environment.vault_role}"
    written = {
        "token_policies": [environment.vault_read_policy],
        "token_type": "service",
        "token_ttl": settings.token_ttl,
        "token_max_ttl": settings.token_max_ttl,
        "bind_secret_id": True,
    }
    changed = [f"{key} {found.get(key)!r} -> {value!r}" for key, value in written.items() if found.get(key) != value]
    kept = [f"{key} {value!r}" for key, value in found.items() if key not in written and value]
    if changed:
        yield Problem(
            where=f"Vault's role {path}",
            what=f"has other settings than this stack gives it, and is written over: {', '.join(changed)} "
            "(if they were changed behind the stack's back: by `pulumi up --refresh`)",
            fatal=False,
        )
    if kept:
        yield Problem(
            where=f"Vault's role {path}",
            what=f"has settings that this stack does not know and leaves alone: {', '.join(kept)}; where the cluster "
            f"cannot log in with them, `vault delete {path}` and `pulumi up --refresh`",
            fatal=False,
        )
