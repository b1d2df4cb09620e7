"""The one way in which this package talks to Vault or OpenBao."""

import os
import re
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from phalanx.errors import PhalanxError

if TYPE_CHECKING:
    import hvac

TOKEN = "VAULT_TOKEN"  # noqa: S105  # a variable's name
"""Environment variable of the token for the stack's Vault."""

TIMEOUT = 5
"""Seconds that Vault may take for an answer."""

_PRINTABLE = re.compile(r"[!-~]+")
"""What an HTTP header can carry; requests repeats a value that it cannot, so it must not get that far."""


class VaultTokenError(PhalanxError):
    """There is no token for Vault, it is none by its looks, or others could read it on the way."""


def connect(address: str, *, variable: str = TOKEN) -> "hvac.Client":
    """Make a client with the token of ``VAULT_TOKEN``, else that of ``~/.vault-token``; nothing is asked yet.

    Vault's certificate is checked against ``VAULT_CACERT`` or ``VAULT_CAPATH``, as the Pulumi provider does.

    Args:
        address: URL of Vault.
        variable: Environment variable of the token, for a second Vault, which never gets the token of the first.

    Raises:
        VaultTokenError: There is no token, one that no token can look like, or no encryption on the way.
    """
    import hvac  # noqa: PLC0415  # slow to import, and most commands of this package do without

    if urlsplit(address).scheme != "https" and not _on_this_machine(address):
        raise VaultTokenError(
            f"{address} would carry the token and every secret over the network in clear: give Vault a certificate, "
            "and its address as https://",
        )
    # Without any token hvac looks for that of the first Vault.
    token = os.environ.get(variable) or (None if variable == TOKEN else "")
    client = hvac.Client(url=address, token=token, timeout=TIMEOUT)
    if not client.token:
        raise VaultTokenError(f"no token for Vault: set {variable} (`vault login -method=... -no-store`)")
    if not _PRINTABLE.fullmatch(client.token):
        raise VaultTokenError(
            f"{variable} holds a blank, a line break or a character that is not ASCII: set it to the token alone",
        )
    return client


def explain(error: Exception, setting: str = "rsp:vault.address") -> str:
    """What an exception of hvac or of its transport means to a person: what is wrong and the way to mend it.

    Args:
        error: A ``hvac.exceptions.VaultError`` or a ``requests.exceptions.RequestException``.
        setting: What gives Vault's address.
    """
    from hvac import exceptions  # noqa: PLC0415  # see connect
    from requests import exceptions as http  # noqa: PLC0415

    match error:
        case http.SSLError():
            return f"its certificate is not trusted ({_innermost(error)}): set VAULT_CACERT to its authority's file"
        case http.RequestException():
            return f"does not answer ({_innermost(error)}): check {setting}, the network and that it runs"
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


def _on_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _innermost(error: BaseException) -> str:
    """The cause that a person understands: requests wraps the socket's error several times."""
    seen = [error]
    while (inner := seen[-1].__cause__ or seen[-1].__context__) is not None:
        seen.append(inner)
    return next((each.strerror for each in reversed(seen) if isinstance(each, OSError) and each.strerror), None) or str(
        seen[-1],
    )
