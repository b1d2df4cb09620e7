"""Whether Vault is there, open and of the right kind, before anything is written to it."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from config.vault import Ownership
from operations.problem import Problem

if TYPE_CHECKING:
    import hvac

TIMEOUT = 5
"""Seconds that Vault may take for an answer."""

SHORTEST_LIFE = 1800
"""Seconds that the token should still live: a first installation takes most of that."""


def check(address: str, mount: str, ownership: Ownership) -> Iterator[Problem]:
    """Look at Vault with the token of ``VAULT_TOKEN``, and change nothing.

    Args:
        address: URL of Vault.
        mount: Path of the KV engine, without slashes at its ends.
        ownership: Whether the stack makes the mount or finds it.
    """
    import hvac  # noqa: PLC0415  # with requests, most of the time that importing this module would take
    from hvac import exceptions  # noqa: PLC0415
    from requests import exceptions as http  # noqa: PLC0415

    client = hvac.Client(url=address, token=os.environ.get("VAULT_TOKEN") or None, timeout=TIMEOUT)
    where = f"Vault at {address}"
    try:
        seal: dict[str, Any] = client.sys.read_seal_status()
        if not seal["initialized"]:
            yield Problem(where=where, what="is not initialised: run `vault operator init` there, then unseal it")
        elif seal["sealed"]:
            yield Problem(where=where, what="is sealed: unseal it with `vault operator unseal`")
        elif not client.token:
            yield Problem(where=where, what="no token given: set VAULT_TOKEN (`vault login -method=... -no-store`)")
        else:
            yield from _check_token(client, where)
            yield from _check_mount(client, where, mount, ownership)
    except http.SSLError as error:
        yield Problem(
            where=where,
            what=f"its certificate is not trusted ({_innermost(error)}): set REQUESTS_CA_BUNDLE and VAULT_CACERT",
        )
    except http.RequestException as error:
        yield Problem(
            where=where,
            what=f"does not answer ({_innermost(error)}): check rsp:vault.address, the network and that it runs",
        )
    except exceptions.VaultError as error:
        yield Problem(where=where, what=f"answers with an error: {error}")


def _check_token(client: "hvac.Client", where: str) -> Iterator[Problem]:
    from hvac import exceptions  # noqa: PLC0415

    try:
        token = client.auth.token.lookup_self()["data"]
    except exceptions.Forbidden:
        yield Problem(where=where, what="refuses the token in VAULT_TOKEN: it is wrong or has expired; log in anew")
        return
    # A token without an end has a life of 0.
    if 0 < token["ttl"] < SHORTEST_LIFE:
        yield Problem(
            where=where,
            what=f"the token in VAULT_TOKEN ends in {token['ttl'] // 60} minutes: `vault token renew` it first",
            fatal=False,
        )


def _check_mount(client: "hvac.Client", where: str, mount: str, ownership: Ownership) -> Iterator[Problem]:
    from hvac import exceptions  # noqa: PLC0415

    try:
        found: Any = client.read(f"sys/internal/ui/mounts/{mount}")
    except exceptions.Forbidden:
        # Vault answers so for a mount that does not exist as well as for one that the token may not see.
        found = None
    if found is None:
        if ownership is Ownership.EXISTING:
            yield Problem(
                where="rsp:vault.mount",
                what=f"`existing`, but {where} has no mount `{mount}` that this token may use: create it "
                f"(`vault secrets enable -path={mount} kv-v2`) or say `create`",
            )
        return
    kind, version = found["data"]["type"], (found["data"]["options"] or {}).get("version", "1")
    if kind != "kv":
        yield Problem(where=where, what=f"mount `{mount}` is of type {kind}: Phalanx needs KV version 2")
    elif version != "2":
        yield Problem(
            where=where,
            what=f"mount `{mount}` is KV version {version}, Phalanx needs version 2: "
            f"`vault kv enable-versioning {mount}` turns it into one and keeps what it holds",
        )


def _innermost(error: BaseException) -> str:
    """The cause that a person understands: requests wraps the socket's error several times."""
    seen = [error]
    while (inner := seen[-1].__cause__ or seen[-1].__context__) is not None:
        seen.append(inner)
    return next((each.strerror for each in reversed(seen) if isinstance(each, OSError) and each.strerror), None) or str(
        seen[-1],
    )
