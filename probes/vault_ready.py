"""Check from this machine, without a token, whether a Vault can be used."""

import socket
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from probes import vault_client

_OK, _NOT_INITIALIZED, _SEALED = 200, 501, 503
"""Status codes of sys/health (openbao.org/api-docs/system/health)."""


@dataclass(frozen=True, kw_only=True)
class Obstacle:
    """A reason why a Vault cannot be used yet."""

    what: str
    """The reason and its remedy."""
    temporary: bool = True
    """True if it may disappear by itself; false if an operator must act."""


def check(url: str, address: str | None = None, ca_file: Path | None = None) -> Obstacle | None:
    """Return why a Vault cannot be used yet; None if it is initialized, unsealed and active.

    Args:
        url: URL of the Vault.
        address: IPv4 address that the URL's host name must resolve to; any if None.
        ca_file: As for `vault_client.authorities`.
    """
    # Before any connection: with ACME each connection makes the server request its certificate, and while the name
    # resolves to another address, each failed validation counts towards a limit (letsencrypt.org/docs/rate-limits).
    return _check_name(str(urlsplit(url).hostname), address) or _check_health(url, ca_file)


def _check_name(host: str, address: str | None) -> Obstacle | None:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, socket.AF_INET)}
    except socket.gaierror:
        found = set()
    if found and (address is None or found == {address}):
        return None
    state = f"resolves to {', '.join(sorted(found))}" if found else "has no address in the DNS"
    record = address or "the stack's output vaultAddress"
    return Obstacle(what=f"{host} {state}: create an A record with {record}; `getent hosts {host}` must show it here")


def _check_health(url: str, ca_file: Path | None) -> Obstacle | None:
    import requests
    from hvac.exceptions import VaultError

    try:
        verify = vault_client.authorities(ca_file)
        status = requests.get(f"{url}/v1/sys/health", verify=verify, timeout=vault_client.TIMEOUT).status_code
        if status == _OK:
            return None
        if status not in {_NOT_INITIALIZED, _SEALED}:
            return Obstacle(what=f"{url} responds with status {status}")
        seal = vault_client.seal_status(url, ca_file)
    except requests.exceptions.SSLError as error:
        return Obstacle(
            what=f"{url} has a certificate that is not trusted ({error}): with ACME, port 443 of the server must be "
            "reachable from the Internet; with a private CA, name the file of its certificate with --ca-file"
        )
    except (requests.exceptions.RequestException, VaultError) as error:
        return Obstacle(
            what=f"{url} does not answer ({type(error).__name__}): this machine must be in rsp-vault:server.clients; a "
            "first boot takes several minutes, and `openstack console log show` shows its progress"
        )
    return _explain_seal(url, initialized=status == _SEALED, shamir=seal["type"] == "shamir")


def _explain_seal(url: str, *, initialized: bool, shamir: bool) -> Obstacle:
    if not shamir:
        state = "sealed" if initialized else "not initialized"
        return Obstacle(
            what=f"{url} is {state} until it can use the key of its seal: if that takes longer than a minute, "
            "`openstack console log show` of the server shows the cause"
        )
    if initialized:
        return Obstacle(
            what=f"{url} is sealed: run `BAO_ADDR={url} bao operator unseal` until it is unsealed", temporary=False
        )
    return Obstacle(
        what=f"{url} is not initialized: run `BAO_ADDR={url} bao operator init`, store the keys that it prints safely, "
        "unseal it, and create its users (docs/vault-server.md)",
        temporary=False,
    )
