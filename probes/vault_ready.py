"""Find out why a Vault cannot be used yet, from this machine and without a token."""

import os
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

TIMEOUT = 5
"""Seconds that the server may take for an answer."""

_OK, _NOT_INITIALISED, _SEALED = 200, 501, 503
"""Statuses of sys/health (openbao.org/api-docs/system/health)."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """A reason why a Vault cannot be used yet."""

    what: str
    """The reason and its remedy."""
    passes: bool = True
    """Whether it may pass by itself; False if an operator has to act."""


def look(url: str, address: str | None = None) -> Obstacle | None:
    """Return why a Vault cannot be used yet; None if it is initialised, unsealed and active.

    Its certificate is verified with ``VAULT_CACERT`` or ``VAULT_CAPATH``, as Vault's own clients do.

    Args:
        url: URL of the Vault.
        address: IPv4 address that the URL's host name must resolve to; any if None.
    """
    # Before any connection: with ACME each connection makes the server request its certificate, and an authority that
    # is led elsewhere counts a failure, and soon refuses (letsencrypt.org/docs/rate-limits).
    return _look_up(str(urlsplit(url).hostname), address) or _ask(url)


def _look_up(host: str, address: str | None) -> Obstacle | None:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, socket.AF_INET)}
    except socket.gaierror:
        found = set()
    if found and (address is None or found == {address}):
        return None
    state = f"resolves to {', '.join(sorted(found))}" if found else "has no address in the DNS"
    record = address or "the stack's output vaultAddress"
    return Obstacle(what=f"{host} {state}: create an A record with {record}; `getent hosts {host}` must show it here")


def _ask(url: str) -> Obstacle | None:
    import requests  # noqa: PLC0415  # slow to import, and most commands of operations do without

    authorities = os.environ.get("VAULT_CACERT") or os.environ.get("VAULT_CAPATH") or True
    ask = partial(requests.get, verify=authorities, timeout=TIMEOUT)
    try:
        status = ask(f"{url}/v1/sys/health").status_code
        if status == _OK:
            return None
        if status not in {_NOT_INITIALISED, _SEALED}:
            return Obstacle(what=f"{url} answers with status {status}")
        seal: Any = ask(f"{url}/v1/sys/seal-status").json()
    except requests.exceptions.SSLError as error:
        return Obstacle(
            what=f"{url} has a certificate that is not trusted ({error}): with ACME, port 443 of the server must be "
            "reachable from the Internet; with a private authority, set VAULT_CACERT to the file of its certificate"
        )
    except requests.exceptions.RequestException as error:
        return Obstacle(
            what=f"{url} does not answer ({type(error).__name__}): this machine must be in rsp-vault:server.clients; a "
            "first boot takes minutes, and `openstack console log show` shows its progress"
        )
    return _explain_seal(url, initialised=status == _SEALED, by_operators=seal["type"] == "shamir")


def _explain_seal(url: str, *, initialised: bool, by_operators: bool) -> Obstacle:
    if not by_operators:
        state = "sealed" if initialised else "not initialised"
        return Obstacle(
            what=f"{url} is {state}, which passes once it can use the key of its seal: if that takes longer than a "
            "minute, `openstack console log show` of the server has the cause"
        )
    if initialised:
        return Obstacle(what=f"{url} is sealed: run `BAO_ADDR={url} bao operator unseal` until it is not", passes=False)
    return Obstacle(
        what=f"{url} is new: run `BAO_ADDR={url} bao operator init`, keep the keys that it shows in safe places, "
        "unseal it, and create its users (docs/vault-server.md)",
        passes=False,
    )
