"""One connection to a Vault (or OpenBao) server, made from the settings of the vault provider."""

import json
import os
from collections.abc import Iterable, Mapping
from typing import Any, Final

import hvac
import hvac.exceptions
import requests

from sandbox.engine.adapters.base import Property, flag, known, reason
from sandbox.engine.errors import EngineError, ResourceError
from sandbox.engine.values import Properties

PROPERTIES: Final[Mapping[str, Property]] = {
    "address": Property(),
    "token": Property(),
    "tokenName": Property(),
    "namespace": Property(),
    "caCertFile": Property(),
    "skipTlsVerify": Property(),
    "skipChildToken": Property(),
    "maxLeaseTtlSeconds": Property(),
    "maxRetries": Property(),  # the SDK always sends it
    "authLoginUserpass": Property(),
}

_CHILD_TTL: Final = 1200  # seconds, the provider's own default


class Vault:
    """A server's API.

    As the provider does, it works with a short-lived child of the given token unless `skipChildToken` says otherwise:
    what is made with it and depends on its token dies with it.

    Args:
        config: The provider's inputs; address and token may come from VAULT_ADDR and VAULT_TOKEN. A login by user name
            and password wins over a token.

    Raises:
        ResourceError: There is no address or token, or the server is sealed or refuses the token.
    """

    def __init__(self, config: Properties) -> None:
        self.address = config.get("address") or os.environ.get("VAULT_ADDR")
        login = _login(config)
        token = "" if login else config.get("token") or os.environ.get("VAULT_TOKEN")
        if not self.address:
            raise ResourceError("Vault's address is not known: set the provider's `address`, or VAULT_ADDR")
        if not (login or token):
            raise ResourceError(f"no token for Vault at {self.address}: set VAULT_TOKEN, or the provider's `token`")
        authority = config.get("caCertFile") or os.environ.get("VAULT_CACERT")
        verify: bool | str = authority or not flag(config.get("skipTlsVerify", False))
        self._client = hvac.Client(
            url=self.address, token=token, namespace=config.get("namespace"), verify=verify, timeout=60
        )
        if self._status()["sealed"]:
            raise ResourceError(f"Vault at {self.address} is sealed: unseal it, then run the same command again")
        if login:
            self._client.token = self.write(**login)["auth"]["client_token"]
        self._child = not flag(config.get("skipChildToken", False))
        if self._child:
            ttl = f"{int(config.get('maxLeaseTtlSeconds', _CHILD_TTL))}s"
            request = {
                "display_name": config.get("tokenName", "terraform"),
                "ttl": ttl,
                "explicit_max_ttl": ttl,
                "renewable": False,
            }
            self._client.token = self.write("auth/token/create", request)["auth"]["client_token"]

    def _status(self) -> dict[str, Any]:
        status: Any = self._client.seal_status
        return dict(status)

    def verify(self) -> None:
        """Have the server recognise the token."""
        self._client.lookup_token()

    def read(self, path: str) -> dict[str, Any] | None:
        """The answer's `data`; None if there is nothing."""
        try:
            answer: Any = self._client.read(path)
        except hvac.exceptions.InvalidPath:
            return None
        return answer["data"] if answer else None

    def list(self, path: str) -> list[str]:
        """The keys below a path."""
        try:
            answer: Any = self._client.list(path)
        except hvac.exceptions.InvalidPath:
            return []
        return list(answer["data"]["keys"]) if answer else []

    def write(self, path: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """The answer; empty where there is none."""
        answer = self._client.write_data(path, data=dict(data))
        return answer if isinstance(answer, dict) else {}

    def delete(self, path: str) -> None:
        """Remove what is at the path; no error if there is nothing."""
        try:
            self._client.delete(path)
        except hvac.exceptions.InvalidPath:
            return

    def close(self) -> None:
        """Give the child token back."""
        if self._child:
            self._child = False
            self._client.auth.token.revoke_self()


def _login(config: Properties) -> dict[str, Any] | None:
    """Path and body of a login with `authLoginUserpass`, which providers are given as JSON."""
    given = config.get("authLoginUserpass")
    if not given:
        return None
    settings = json.loads(given) if isinstance(given, str) else given
    path = f"auth/{settings.get('mount') or 'userpass'}/login/{settings['username']}"
    return {"path": path, "data": {"password": settings["password"]}}


def faults(config: Properties) -> Iterable[str]:
    """What is wrong with a provider's settings."""
    address = config.get("address")
    if known(address) and not str(address).startswith(("http://", "https://")):
        yield f"`address`: {address!r} is no URL: it must begin with http:// or https://"


def explain(error: Exception) -> EngineError | None:
    """What an exception of hvac means to the person who runs the command."""
    match error:
        case hvac.exceptions.Forbidden():
            return ResourceError(
                f"Vault refused it ({_text(error)}): is VAULT_TOKEN right and not expired, do its policies allow this?"
            )
        case hvac.exceptions.VaultDown():
            return EngineError(f"Vault is sealed or not ready ({_text(error)}): unseal it")
        case hvac.exceptions.InternalServerError() | hvac.exceptions.BadGateway():
            return EngineError(f"Vault failed: {_text(error)}")
        case hvac.exceptions.VaultError():
            return ResourceError(f"Vault refused it: {_text(error)}")
        case requests.RequestException():
            url = str(error.request.url) if error.request is not None else "its address"
            return EngineError(
                f"Vault cannot be reached at {url} ({reason(error)}): check the provider's `address` or VAULT_ADDR, "
                "and that it runs"
            )
        case _:
            return None


def _text(error: hvac.exceptions.VaultError) -> str:
    return " ".join(("; ".join(map(str, error.errors or [])) or str(error)).split())
