"""The one way in which this package talks to Vault or OpenBao."""

import os
import re
from typing import TYPE_CHECKING

from phalanx.errors import PhalanxError

if TYPE_CHECKING:
    import hvac

TIMEOUT = 5
"""Seconds that Vault may take for an answer."""

_PRINTABLE = re.compile(r"[!-~]+")
"""What an HTTP header can carry; requests repeats a value that it cannot, so it must not get that far."""


class VaultTokenError(PhalanxError):
    """There is no token for Vault, or it is none by its looks."""


def connect(address: str) -> "hvac.Client":
    """Make a client with the token of ``VAULT_TOKEN``, else that of ``~/.vault-token``; nothing is asked yet.

    Vault's certificate is checked against ``VAULT_CACERT`` or ``VAULT_CAPATH``, as the Pulumi provider does.

    Args:
        address: URL of Vault.

    Raises:
        VaultTokenError: There is no token, or one that no token can look like.
    """
    import hvac  # noqa: PLC0415  # slow to import, and most commands of this package do without

    client = hvac.Client(url=address, token=os.environ.get("VAULT_TOKEN") or None, timeout=TIMEOUT)
    if not client.token:
        raise VaultTokenError("no token for Vault: set VAULT_TOKEN (`vault login -method=... -no-store`)")
    if not _PRINTABLE.fullmatch(client.token):
        raise VaultTokenError(
            "VAULT_TOKEN holds a blank, a line break or a character that is not ASCII: set it to the token alone",
        )
    return client


def explain(error: Exception) -> str:
    """What an exception of hvac or of its transport means to a person: what is wrong and the way to mend it.

    Args:
        error: A ``hvac.exceptions.VaultError`` or a ``requests.exceptions.RequestException``.
    """
    from hvac import exceptions  # noqa: PLC0415  # see connect
    from requests import exceptions as http  # noqa: PLC0415

    match error:
        case http.SSLError():
            return f"its certificate is not trusted ({_innermost(error)}): set VAULT_CACERT to its authority's file"
        case http.RequestException():
            return f"does not answer ({_innermost(error)}): check rsp:vault.address, the network and that it runs"
        case exceptions.VaultNotInitialized():
            return "is not initialised: run `vault operator init` there, then unseal it"
        case exceptions.VaultDown():
            return "is sealed: unseal it with `vault operator unseal`"
        case exceptions.InternalServerError() if "active cluster node not found" in str(error):
            return "is a standby, and its cluster has no active node: see `vault operator raft list-peers` there"
        case exceptions.VaultError():
            return f"answers with an error: {'; '.join(map(str, error.errors or [])) or error}"
        case _:
            raise error


def _innermost(error: BaseException) -> str:
    """The cause that a person understands: requests wraps the socket's error several times."""
    seen = [error]
    while (inner := seen[-1].__cause__ or seen[-1].__context__) is not None:
        seen.append(inner)
    return next((each.strerror for each in reversed(seen) if isinstance(each, OSError) and each.strerror), None) or str(
        seen[-1],
    )
