"""Wait for the site's own Vault, and tell people what it waits for."""

import asyncio
import os
import socket
import time
from dataclasses import dataclass
from urllib.parse import urlsplit

import pulumi
import requests

PATIENCE = 1200
"""Seconds that a first boot may take: it upgrades all packages and fetches OpenBao."""

_POLL = 5  # seconds
_REPORT = 30  # seconds between two lines in the log
_TIMEOUT = 5  # seconds for one answer

_NOT_INITIALISED, _SEALED = 501, 503  # openbao.org/api-docs/system/health


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What there is to wait for."""

    url: str
    """URL of the server as this program reaches it."""
    by_name: bool
    """Whether that URL's host must lead to the server's address: false where somebody gave another way to it."""
    unsealed_by_people: bool
    """Whether it needs people at each of its starts."""
    patience: float = PATIENCE
    """Seconds after which to give up."""


async def wait(expected: Expectation, address: str) -> str:
    """Wait until the server answers, initialised and unsealed.

    A preview waits for nothing, and says the same.

    Args:
        expected: What to wait for.
        address: IPv4 address at which clients reach the server.

    Returns:
        The server's URL.

    Raises:
        pulumi.RunError: People have to do something first, or the server does not come up.
    """
    if pulumi.runtime.is_dry_run():
        return expected.url
    if expected.by_name:
        # An authority would count each question about a name that leads elsewhere as a failure, and soon refuse.
        await asyncio.to_thread(_require_name, str(urlsplit(expected.url).hostname), address)
    deadline, reported = time.monotonic() + expected.patience, time.monotonic()
    while True:
        status, said = await asyncio.to_thread(_ask, expected.url)
        if status == requests.codes.ok:
            return expected.url
        if expected.unsealed_by_people and status in {_NOT_INITIALISED, _SEALED}:
            raise pulumi.RunError(_for_people(expected.url, initialised=status == _SEALED))
        if time.monotonic() > deadline:
            raise pulumi.RunError(
                f"Vault at {expected.url} {said}, {expected.patience / 60:.0f} minutes after its server was there: "
                "look at `openstack console log show` of the server, and run the same command again",
            )
        if time.monotonic() - reported >= _REPORT:
            reported = time.monotonic()
            pulumi.info(f"waiting for Vault at {expected.url}: it {said}")
        await asyncio.sleep(_POLL)


def _require_name(host: str, address: str) -> None:
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, socket.AF_INET)}
    except socket.gaierror:
        found = set()
    if found != {address}:
        leads = f"leads to {', '.join(sorted(found))}" if found else "has no address in the DNS"
        raise pulumi.RunError(
            f"Vault's server is made, but its name {host} {leads}: make it an A record with {address}, wait until it "
            "is known here (`getent hosts`), and run the same command again",
        )


def _ask(url: str) -> tuple[int | None, str]:
    """The status of the server's health, and what that means; None if it gives no answer."""
    authorities = os.environ.get("VAULT_CACERT") or os.environ.get("VAULT_CAPATH") or True
    try:
        answer = requests.get(f"{url}/v1/sys/health", verify=authorities, timeout=_TIMEOUT)
    except requests.exceptions.SSLError as error:
        return None, f"has a certificate that is not trusted ({error}): set VAULT_CACERT to the file of its authority"
    except requests.exceptions.RequestException as error:
        return None, f"does not answer ({type(error).__name__})"
    meaning = {_NOT_INITIALISED: "is not initialised", _SEALED: "is sealed"}
    return answer.status_code, meaning.get(answer.status_code, f"answers with status {answer.status_code}")


def _for_people(url: str, *, initialised: bool) -> str:
    if initialised:
        return (
            f"Vault at {url} is sealed: run `BAO_ADDR={url} bao operator unseal` until it says that it is not, and "
            "the same command again"
        )
    return (
        f"Vault at {url} is new: with BAO_ADDR={url} run `bao operator init`, keep the keys that it shows in safe "
        "places, run `bao operator unseal` until it is unsealed, make its users as docs/vault-server.md says, and run "
        "the same command again"
    )
