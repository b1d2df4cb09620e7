"""A path in a KV engine of Vault or OpenBao, version 1 or 2, with a secret for each application below it."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from phalanx.errors import SecretsError
from probes import vault_client

if TYPE_CHECKING:
    import hvac


class ForeignWriteError(Exception):
    """Somebody else has written a secret since it was read."""


@dataclass(frozen=True)
class Held:
    """The newest version of a secret."""

    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Values by key, of any JSON type; none if the version is deleted."""
    version: int = 0
    """Its number; 0 if there is none, or the engine keeps no versions."""
    custom_metadata: Mapping[str, str] = field(default_factory=dict)
    """What people noted beside it."""

    deleted: bool = False
    """Whether somebody deleted or destroyed it."""


@dataclass(frozen=True)
class Access:
    """A Vault, and how a person gives it."""

    client: "hvac.Client" = field(repr=False)
    address: str
    variable: str
    """Environment variable that holds the token."""
    setting: str
    """What gives the address."""

    @contextmanager
    def told(self, path: str) -> Iterator[None]:
        """Tell a failure of Vault, or of the way to it, in a sentence for people.

        Args:
            path: What is being read or written.

        Raises:
            SecretsError: Vault or its transport failed.
        """
        from hvac import exceptions  # noqa: PLC0415  # see vault_client.connect
        from requests import exceptions as http  # noqa: PLC0415

        try:
            yield
        except exceptions.Forbidden:
            raise SecretsError(
                f"Vault at {self.address}: the token in {self.variable} may not do that below {path}, or has expired",
            ) from None
        except (exceptions.VaultError, http.RequestException) as error:
            raise SecretsError(f"Vault at {self.address} {vault_client.explain(error, self.setting)}") from None


@dataclass(frozen=True)
class Folder:
    """A path. Every method raises what hvac and requests raise: see `Access.told`."""

    vault: Access
    mount: str
    path: str
    version: int
    """Of the engine, 1 or 2."""

    def __str__(self) -> str:
        return f"{self.mount}/{self.path} of {self.vault.address}"

    def told(self) -> AbstractContextManager[None]:
        """Tell a failure of Vault in a sentence for people: see `Access.told`."""
        return self.vault.told(f"{self.mount}/{self.path}")

    def names(self, pool: Executor) -> list[str]:
        """List the secrets below, those of deeper paths as ``deeper/name``; none if there is no such path."""
        found, folders = [], [""]
        while folders:
            listed = [
                f"{at}{key}" for at, keys in zip(folders, pool.map(self._list, folders), strict=True) for key in keys
            ]
            folders = [name for name in listed if name.endswith("/")]
            found += [name for name in listed if not name.endswith("/")]
        return sorted(found)

    def read(self, name: str) -> Held:
        """Read a secret; an empty one if it is not there."""
        from hvac import exceptions  # noqa: PLC0415  # see vault_client.connect

        try:
            answer: Any = self.vault.client.adapter.get(self._url("data", name))
        except exceptions.InvalidPath as error:
            # A deleted version is answered so, with what is left of it.
            answer = error.json or {}
        answer = answer.get("data") or {}
        if self.version == 1:
            return Held(answer)
        metadata = answer.get("metadata") or {}
        return Held(
            data=answer.get("data") or {},
            version=metadata.get("version", 0),
            custom_metadata=metadata.get("custom_metadata") or {},
            deleted=bool(metadata.get("deletion_time") or metadata.get("destroyed")),
        )

    def write(self, name: str, data: Mapping[str, Any], *, over: Held) -> None:
        """Write a new version of a secret.

        Args:
            name: Of the secret.
            data: All its values.
            over: What was read before.

        Raises:
            ForeignWriteError: That is not the newest version any more; nothing was written.
        """
        from hvac import exceptions  # noqa: PLC0415

        body = {"data": data, "options": {"cas": over.version}}
        try:
            self.vault.client.adapter.post(self._url("data", name), json=body)
        except exceptions.InvalidRequest as error:
            if "check-and-set" in str(error):
                raise ForeignWriteError from None
            raise

    def describe(self, name: str, custom_metadata: Mapping[str, str]) -> None:
        """Write what people note beside a secret, and leave its other settings (hvac's function resets one)."""
        self.vault.client.adapter.post(self._url("metadata", name), json={"custom_metadata": custom_metadata})

    def _list(self, below: str) -> list[str]:
        from hvac import exceptions  # noqa: PLC0415

        try:
            answer = self.vault.client.adapter.list(self._url("metadata", below).rstrip("/"))
        except exceptions.InvalidPath:
            return []
        return list(answer["data"]["keys"])

    def _url(self, kind: str, name: str) -> str:
        from hvac.utils import format_url  # noqa: PLC0415

        parts = (self.mount, kind, self.path, name) if self.version == 2 else (self.mount, self.path, name)  # noqa: PLR2004
        return format_url("/v1/{path}", path="/".join(part for part in parts if part))


def find(vault: Access, path: str) -> Folder:
    """Find the engine that a path is in.

    Args:
        vault: Vault, with a token.
        path: Mount and path, as ``vaultPathPrefix``.

    Raises:
        SecretsError: There is no KV engine that the token may use, or Vault is unreachable, sealed or refuses the
            token.
    """
    from hvac import exceptions  # noqa: PLC0415

    with vault.told(path):
        try:
            # What `vault kv` asks, too: it needs no more than some right below the path.
            answer: Any = vault.client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}")
        except exceptions.Forbidden:
            _check_token(vault)
            raise SecretsError(
                f"Vault at {vault.address} has no engine with a path {path} that the token in {vault.variable} may "
                "use: check the path (mount first, without `data/`), or the token's policy",
            ) from None
    found = answer["data"]
    if found["type"] not in ("kv", "generic"):
        raise SecretsError(f"{path} of Vault at {vault.address} is in an engine of type {found['type']}, not KV")
    mount = found["path"].rstrip("/")
    version = int((found["options"] or {}).get("version", "1"))
    return Folder(vault, mount, path.removeprefix(mount).strip("/"), version)


def _check_token(vault: Access) -> None:
    from hvac import exceptions  # noqa: PLC0415

    try:
        vault.client.auth.token.lookup_self()
    except exceptions.Forbidden:
        raise SecretsError(
            f"Vault at {vault.address} refuses the token in {vault.variable}: it is wrong or has expired; log in anew",
        ) from None
