"""Client of Vault or OpenBao."""

import os
import re
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from phalanx.errors import PhalanxError
from probes.retries import retry_reads

if TYPE_CHECKING:
    import hvac

TOKEN = "VAULT_TOKEN"  # noqa: S105  # a variable's name
"""Environment variable with the token for the stack's Vault."""

ADDRESS = "rsp:vault.address"
"""Configuration key of the address of the stack's Vault."""

NAMESPACE = "VAULT_NAMESPACE"
"""Environment variable with the namespace in the stack's Vault, for a Vault that has namespaces."""

TIMEOUT = 5
"""Timeout of a request in seconds."""

_PRINTABLE = re.compile(r"[!-~]+")
"""Valid tokens. Requests includes a value that is invalid in a header in its error message, so it is checked before."""


class VaultTokenError(PhalanxError):
    """No token is set, it contains invalid characters, or the connection would not be encrypted."""


def connect(address: str, ca_file: Path | None = None, *, variable: str = TOKEN) -> "hvac.Client":
    """Return a client with the token in ``VAULT_TOKEN`` or else ``~/.vault-token``, without sending a request.

    Requests are sent to the namespace in ``VAULT_NAMESPACE``.

    Args:
        address: URL of Vault.
        ca_file: As for `authorities`.
        variable: Environment variable with the token. With any other than ``VAULT_TOKEN``, the file
            ``~/.vault-token`` is not used, so that a second Vault never receives the token of the first. The variable
            with the namespace differs accordingly: ``VAULT_SOURCE_NAMESPACE`` for ``VAULT_SOURCE_TOKEN``.

    Raises:
        VaultTokenError: No token is set, it contains invalid characters, or the connection would not be encrypted.
    """
    import hvac

    if urlsplit(address).scheme != "https" and not _on_this_machine(address):
        raise VaultTokenError(
            f"{address} would send the token and all secrets over the network unencrypted: configure a certificate in "
            "Vault, and use an https:// address",
        )
    # With None instead of an empty token, hvac reads ~/.vault-token.
    token = os.environ.get(variable) or (None if variable == TOKEN else "")
    client = hvac.Client(
        url=address, token=token, verify=authorities(ca_file), timeout=TIMEOUT, namespace=namespace(variable)
    )
    if not client.token:
        raise VaultTokenError(f"no token for Vault: set {variable} (`vault login -method=... -no-store`)")
    if not _PRINTABLE.fullmatch(client.token):
        raise VaultTokenError(
            f"{variable} contains a space, a line break or a character that is not ASCII: set it to the token alone",
        )
    retry_reads(client.session, f"{address.rstrip('/')}/v1/sys/capabilities-self")
    return client


def authorities(ca_file: Path | None = None) -> str | bool:
    """Return the CAs to verify a Vault with, as requests expects them: a path, or True for public ones.

    Args:
        ca_file: File with the CA of Vault, as PEM; if None, that in ``VAULT_CACERT`` or ``VAULT_CAPATH``, or public
            CAs, as for Pulumi's provider.
    """
    return str(ca_file or os.environ.get("VAULT_CACERT") or os.environ.get("VAULT_CAPATH") or "") or True


def namespace(variable: str = TOKEN) -> str | None:
    """Return the namespace in Vault, or None if it has none.

    Args:
        variable: Environment variable with the token, as for `connect`.
    """
    return os.environ.get(variable.replace("TOKEN", "NAMESPACE")) or None


def seal_status(address: str, ca_file: Path | None = None) -> dict[str, Any]:
    """Return the response of ``sys/seal-status``, which requires no token, and which no namespace has.

    Raises:
        hvac.exceptions.VaultError, requests.exceptions.RequestException: As for `explain`.
    """
    import hvac

    client = hvac.Client(url=address, token="", verify=authorities(ca_file), timeout=TIMEOUT)
    retry_reads(client.session)
    status: dict[str, Any] = client.sys.read_seal_status()
    return status


def explain(error: Exception, setting: str = ADDRESS) -> str:
    """Return the cause and the remedy of an exception of hvac or requests.

    Args:
        error: A ``hvac.exceptions.VaultError`` or a ``requests.exceptions.RequestException``.
        setting: Option or configuration key of Vault's address.
    """
    from hvac import exceptions
    from requests import exceptions as http

    match error:
        case http.SSLError():
            key = "rsp:vault.caFile" if setting.startswith("rsp:") else "VAULT_CACERT"
            return (
                f"its certificate is not trusted ({_innermost(error)}): set {key} to the file with the certificate of "
                "the CA that has signed it"
            )
        case http.RequestException():
            return f"does not answer ({_innermost(error)}): check {setting}, the network, and whether it runs"
        case exceptions.VaultNotInitialized():
            return "is not initialized: run `vault operator init`, then unseal it"
        case exceptions.VaultDown():
            return "is sealed: unseal it with `vault operator unseal`"
        case exceptions.InternalServerError() if "active cluster node not found" in str(error):
            return "is a standby, and its cluster has no active node: see `vault operator raft list-peers`"
        case exceptions.VaultError():
            return f"responds with an error: {'; '.join(map(str, error.errors or [])) or error}"
        case _:
            raise error


def _on_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _innermost(error: BaseException) -> str:
    """Return the message of the original error, such as "Connection refused", which requests wraps several times."""
    chain = [error]
    while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
        chain.append(inner)
    messages = (each.strerror for each in reversed(chain) if isinstance(each, OSError) and each.strerror)
    return next(messages, None) or str(chain[-1])
