"""Check whether existing mounts, policies and roles in Vault match what the stack creates or expects."""

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
    """Compare Vault's contents with what the stack creates or expects.

    Args:
        client: Client of Vault with a token that may read them.
        environment: The Phalanx environment.
        settings: The stack's settings of Vault.
        stack: Name of the stack.
    """
    yield from check_mount(client, environment, settings, stack)
    yield from _check_auth_method(visible(client)["auth"], settings.approle, stack)
    role = _read(client, f"auth/{settings.approle.path}/role/{environment.vault_role}")
    yield from _check_policies(client, environment, stack, has_role=role is not None)
    if role is not None:
        yield from _check_role(role, environment, settings.approle)


def check_mount(client: "hvac.Client", environment: Environment, settings: Vault, stack: str) -> Iterator[Problem]:
    """Check the KV engine of the secrets; arguments as for `check`."""
    yield from _check_engine(visible(client)["secret"], environment.vault_mount, settings.mount, stack)


def visible(client: "hvac.Client") -> Mapping[str, Mounts]:
    """Return the engines (``secret``) and auth methods (``auth``) that the token can access; others may exist."""
    answer: Any = client.adapter.get("/v1/sys/internal/ui/mounts")
    mounts: Mapping[str, Mounts] = answer["data"]
    return mounts


def _read(client: "hvac.Client", path: str) -> Mapping[str, Any] | None:
    from hvac import exceptions

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
                what=f"`existing`, but Vault has no mount `{path}` that this token can access: create it "
                f"(`vault secrets enable -path={path} kv-v2`) or set `create`",
            )
        return
    version = (found["options"] or {}).get("version", "1")
    if found["type"] != "kv":
        yield Problem(
            where=where,
            what=f"Vault's mount `{path}` is of type {found['type']}, Phalanx requires KV version 2: set another mount "
            "in vaultPathPrefix of the Phalanx environment",
        )
    elif version != "2":
        yield Problem(
            where=where,
            what=f"Vault's mount `{path}` is KV version {version}, Phalanx requires version 2: upgrade it with "
            f"`vault kv enable-versioning {path}`, which keeps its secrets",
        )
    elif ownership is Ownership.EXISTING and found["description"] == vault_description(stack):
        yield _created_by(where, f"mount `{path}`", f"vault secrets tune -description=Shared {path}", protected=True)
    elif ownership is Ownership.CREATE and found["description"] != vault_description(stack):
        yield _not_created_by(where, f"mount `{path}`", found, f"vault secrets tune -description='{{}}' {path}", stack)


def _check_auth_method(methods: Mounts, settings: AppRole, stack: str) -> Iterator[Problem]:
    found, where = methods.get(f"{settings.path}/"), "rsp:vault.approle.ownership"
    if found is None:
        if settings.ownership is Ownership.EXISTING:
            yield Problem(
                where=where,
                what=f"`existing`, but Vault has no auth method at `{settings.path}` that this token can access: "
                f"enable it (`vault auth enable -path={settings.path} approle`) or set `create`",
            )
    elif found["type"] != "approle":
        yield Problem(
            where="rsp:vault.approle.path",
            what=f"Vault's auth method at `{settings.path}` is of type {found['type']}, expected approle: "
            "set another path",
        )
    elif settings.ownership is Ownership.EXISTING and found["description"] == vault_description(stack):
        name = f"auth method `{settings.path}`"
        yield _created_by(where, name, f"vault auth tune -description=Shared {settings.path}", protected=False)
    elif settings.ownership is Ownership.CREATE and found["description"] != vault_description(stack):
        name = f"auth method `{settings.path}`"
        yield _not_created_by(where, name, found, f"vault auth tune -description='{{}}' {settings.path}", stack)


def _created_by(where: str, name: str, tune: str, *, protected: bool) -> Problem:
    """Return the problem of a mount that this stack has created, and would no longer manage."""
    unprotect = ", and unprotect it in the state (`pulumi state unprotect`)" if protected else ""
    return Problem(
        where=where,
        what=f"is `existing`, but this stack created the {name} in Vault: set it back to `create`; to hand it over to "
        f"another owner, change its description (`{tune}`){unprotect}, then the stack forgets and keeps it",
    )


def _not_created_by(where: str, name: str, found: Mapping[str, Any], tune: str, stack: str) -> Problem:
    """Return the problem of a mount that another owner has created, which Vault would refuse in the middle of `up`.

    A stack recognizes its own mounts by their description, the only mark that Vault stores.
    """
    return Problem(
        where=where,
        what=f"`create`, but Vault has the {name} already, with the description {found['description']!r}: "
        f"set `existing`; if it is in the state of this stack, mark it: `{tune.format(vault_description(stack))}`",
    )


def _check_policies(
    client: "hvac.Client",
    environment: Environment,
    stack: str,
    *,
    has_role: bool,
) -> Iterator[Problem]:
    """Compare the exact texts, as `phalanx vault audit` does (src/phalanx/services/vault.py).

    Any policy that differs is fatal. The provider would silently overwrite a policy of another owner, and would not
    detect that its own was edited, since `up` compares with the state and not with Vault. The remedy is the same: after
    the policy has been deleted, a refresh detects that it has to be created.
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
                what=f"does not exist, but the role {environment.vault_role} requires it: create it again with "
                f"`pulumi up --refresh -s {stack}` (without a refresh, the state may still contain it)",
                fatal=False,
            )
        elif found is not None and found["policy"] != expected:
            yield Problem(
                where=where,
                what="differs from the policy that Phalanx expects. Check whether anyone depends on it, then create it "
                f"again: `vault policy delete {name}` and `pulumi up --refresh -s {stack}`\n"
                f"{_difference(found['policy'], expected)}",
            )


def _difference(found: str, expected: str) -> str:
    lines = difflib.unified_diff(found.splitlines(), expected.splitlines(), "in Vault", "expected", n=0, lineterm="")
    changes = [line for line in lines if not line.startswith("@@")]
    return "\n".join(f"    {line}" for line in changes or ["only the line break at the end differs"])


def _check_role(found: Mapping[str, Any], environment: Environment, settings: AppRole) -> Iterator[Problem]:
    """Report settings that the stack would silently overwrite, and settings that it would keep."""
    path = f"auth/{settings.path}/role/{environment.vault_role}"
    desired = {
        "token_policies": [environment.vault_read_policy],
        "token_type": "service",
        "token_ttl": settings.token_ttl,
        "token_max_ttl": settings.token_max_ttl,
        "bind_secret_id": True,
    }
    changed = [f"{key} {found.get(key)!r} -> {value!r}" for key, value in desired.items() if found.get(key) != value]
    kept = [f"{key} {value!r}" for key, value in found.items() if key not in desired and value]
    if changed:
        yield Problem(
            where=f"Vault's role {path}",
            what=f"has settings that this stack overwrites: {', '.join(changed)} (if they were changed outside "
            "of Pulumi, only with `pulumi up --refresh`)",
            fatal=False,
        )
    if kept:
        yield Problem(
            where=f"Vault's role {path}",
            what=f"has settings that this stack does not manage and keeps: {', '.join(kept)}; if the cluster cannot "
            f"log in with them, run `vault delete {path}` and `pulumi up --refresh`",
            fatal=False,
        )
