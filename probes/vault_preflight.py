"""Check, before anything is created, whether Vault is usable and matches the stack's configuration."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from config.vault import Vault
from phalanx.certificates import CertificateError
from phalanx.environment import Environment
from probes import existing_vault, served_certificate, vault_access, vault_client
from probes.problem import Problem

if TYPE_CHECKING:
    import hvac

MINIMUM_TTL = 1800
"""Minimum remaining lifetime of the token in seconds; a first installation takes almost as long."""


def check(
    address: str,
    environment: Environment,
    settings: Vault,
    stack: str,
    *,
    preview: bool = False,
) -> Iterator[Problem]:
    """Check Vault with the token in ``VAULT_TOKEN``, without changes.

    Args:
        address: URL of Vault.
        environment: The Phalanx environment, with the names of its mount, path, policies and role.
        settings: The stack's settings of Vault.
        stack: Name of the stack.
        preview: Whether the run is a preview, for which a read-only token is sufficient.
    """

    def check_contents(client: "hvac.Client") -> Iterator[Problem]:
        problems = list(vault_access.check(client, environment, settings, preview=preview))
        yield from problems
        # The comparison requires read access.
        if not any(problem.fatal for problem in problems):
            yield from existing_vault.check(client, environment, settings, stack)
            yield from _check_operator_trust(address, environment, settings)

    yield from _check(address, settings, check_contents)


def _check_operator_trust(address: str, environment: Environment, settings: Vault) -> Iterator[Problem]:
    """Warn if only this program trusts Vault's certificate, by ``VAULT_CACERT``, and not vault-secrets-operator."""
    url = urlsplit(address)
    here_only = settings.ca_file is None and vault_client.authorities() is not True
    if not here_only or url.scheme != "https" or address != environment.vault_url.rstrip("/"):
        return
    host = str(url.hostname)
    try:
        reason = served_certificate.distrust(host, (host, url.port or served_certificate.HTTPS))
    except CertificateError:
        return
    if reason:
        yield Problem(
            where="rsp:vault.caFile",
            what=f"is not set, so vault-secrets-operator does not trust Vault's certificate ({reason}), unless "
            "the Phalanx repository gives it the CA: set the key to the file that VAULT_CACERT names here",
            fatal=False,
        )


def check_readable(address: str, environment: Environment, settings: Vault, stack: str) -> Iterator[Problem]:
    """Check only whether the secrets can be read; arguments as for `check`."""
    yield from _check(
        address, settings, lambda client: existing_vault.check_mount(client, environment, settings, stack)
    )


def _check(
    address: str, settings: Vault, check_contents: Callable[["hvac.Client"], Iterable[Problem]]
) -> Iterator[Problem]:
    from hvac import exceptions
    from requests import exceptions as http

    where = f"Vault at {address}"
    try:
        client = vault_client.connect(address, settings.ca_file)
        problems = [*_check_seal(address, settings, where)] or [*_check_token(client, where)]
        yield from problems
        if not any(problem.fatal for problem in problems):
            yield from check_contents(client)
    except vault_client.VaultTokenError as error:
        yield Problem(where=where, what=str(error))
    except (http.RequestException, exceptions.VaultError) as error:
        yield Problem(where=where, what=vault_client.explain(error))


def _check_seal(address: str, settings: Vault, where: str) -> Iterator[Problem]:
    seal = vault_client.seal_status(address, settings.ca_file)
    if not seal["initialized"]:
        yield Problem(where=where, what="is not initialized: run `vault operator init`, then unseal it")
    elif seal["sealed"]:
        yield Problem(where=where, what="is sealed: unseal it with `vault operator unseal`")


def _check_token(client: "hvac.Client", where: str) -> Iterator[Problem]:
    from hvac import exceptions

    try:
        token = client.auth.token.lookup_self()["data"]
    except exceptions.Forbidden:
        yield Problem(where=where, what="refuses the token in VAULT_TOKEN: it is wrong or has expired; log in again")
        return
    # The TTL of a token that does not expire is 0.
    if 0 < token["ttl"] < MINIMUM_TTL:
        yield Problem(
            where=where,
            what=f"the token in VAULT_TOKEN expires in {token['ttl'] // 60} minutes: run `vault token renew` first",
            fatal=False,
        )
