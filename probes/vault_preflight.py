"""Whether Vault is there, open and of the right kind, before anything is written to it."""

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from config.vault import Vault
from phalanx.environment import Environment
from probes import existing_vault, vault_access, vault_client
from probes.problem import Problem

if TYPE_CHECKING:
    import hvac

SHORTEST_LIFE = 1800
"""Seconds that the token should still live: a first installation takes most of that."""


def check(
    address: str,
    environment: Environment,
    settings: Vault,
    stack: str,
    *,
    preview: bool = False,
) -> Iterator[Problem]:
    """Look at Vault with the token of ``VAULT_TOKEN``, and change nothing.

    Args:
        address: URL of Vault.
        environment: The Phalanx environment, which names mount, path, policies and role.
        settings: What the stack makes there itself.
        stack: Name of the stack.
        preview: Whether nothing is to be changed, for which a token that may look is enough.
    """

    def look(client: "hvac.Client") -> Iterator[Problem]:
        lacking = list(vault_access.check(client, environment, settings, preview=preview))
        yield from lacking
        # What the token may not see cannot be compared.
        if not any(problem.fatal for problem in lacking):
            yield from existing_vault.check(client, environment, settings, stack)

    yield from _ask(address, look)


def check_readable(address: str, environment: Environment, settings: Vault, stack: str) -> Iterator[Problem]:
    """Look only whether the secrets can be read; arguments as for `check`."""
    yield from _ask(address, lambda client: existing_vault.check_mount(client, environment, settings, stack))


def _ask(address: str, look: Callable[["hvac.Client"], Iterable[Problem]]) -> Iterator[Problem]:
    from hvac import exceptions  # noqa: PLC0415  # with requests, most of the time that importing this module would take
    from requests import exceptions as http  # noqa: PLC0415

    where = f"Vault at {address}"
    try:
        client = vault_client.connect(address)
        problems = [*_check_seal(client, where)] or [*_check_token(client, where)]
        yield from problems
        if not any(problem.fatal for problem in problems):
            yield from look(client)
    except vault_client.VaultTokenError as error:
        yield Problem(where=where, what=str(error))
    except (http.RequestException, exceptions.VaultError) as error:
        yield Problem(where=where, what=vault_client.explain(error))


def _check_seal(client: "hvac.Client", where: str) -> Iterator[Problem]:
    seal: Any = client.sys.read_seal_status()
    if not seal["initialized"]:
        yield Problem(where=where, what="is not initialised: run `vault operator init` there, then unseal it")
    elif seal["sealed"]:
        yield Problem(where=where, what="is sealed: unseal it with `vault operator unseal`")


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
