"""Access to the secrets below a path of a KV engine of Vault or OpenBao, version 1 or 2."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from phalanx.errors import SecretsError
from probes import vault_client

if TYPE_CHECKING:
    import hvac


_ATTEMPTS = 5
"""Maximum number of attempts if another client writes the same secret at the same time."""


class ConcurrentWriteError(Exception):
    """Another client has written a secret since it was read."""


@dataclass(frozen=True)
class SecretVersion:
    """The newest version of a secret."""

    data: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """Values by key, of any JSON type; empty if the version is deleted."""
    version: int = 0
    """Number of the version; 0 if the secret does not exist, or in KV version 1."""
    custom_metadata: Mapping[str, str] = field(default_factory=dict)
    deleted: bool = False
    """True if the version is deleted or destroyed."""


@dataclass(frozen=True)
class Access:
    """A client of a Vault, and the names of its settings for error messages, by default of the stack's Vault."""

    client: "hvac.Client" = field(repr=False)
    address: str
    variable: str = vault_client.TOKEN
    """Environment variable that contains the token."""
    setting: str = vault_client.ADDRESS
    """Option or configuration key of the address."""

    @contextmanager
    def explained(self, path: str) -> Iterator[None]:
        """Convert exceptions of hvac and requests to messages for the operator.

        Args:
            path: Path that is read or written.

        Raises:
            SecretsError: Vault cannot be reached, or fails or refuses the request.
        """
        from hvac import exceptions
        from requests import exceptions as http

        try:
            yield
        except exceptions.Forbidden:
            ours = self.setting == vault_client.ADDRESS
            policy = " (`python -m operations vault-policy -s STACK` prints the one that it requires)" if ours else ""
            raise SecretsError(
                f"Vault at {self.address}: permission denied below {path}: the token in {self.variable} has expired, "
                f"or its policy does not allow the request{policy}",
            ) from None
        except (exceptions.VaultError, http.RequestException) as error:
            raise SecretsError(f"Vault at {self.address}: {vault_client.explain(error, self.setting)}") from None


@dataclass(frozen=True)
class Folder:
    """A path of a KV engine. All methods raise exceptions of hvac and requests, see `Access.explained`.

    hvac's own class for KV version 2 cannot read the metadata of a destroyed version, and resets settings when it
    writes custom metadata.
    """

    vault: Access
    mount: str
    path: str
    version: int
    """Version of the KV engine, 1 or 2."""

    def __str__(self) -> str:
        return f"{self.mount}/{self.path} of {self.vault.address}"

    def explained(self) -> AbstractContextManager[None]:
        """Convert exceptions to messages for the operator: see `Access.explained`."""
        return self.vault.explained(f"{self.mount}/{self.path}")

    def names(self, pool: Executor) -> list[str]:
        """List the names of the secrets, with those of subfolders as ``folder/name``; empty if the path is missing."""
        found, folders = [], [""]
        while folders:
            listed = [
                f"{at}{key}" for at, keys in zip(folders, pool.map(self.entries, folders), strict=True) for key in keys
            ]
            folders = [name for name in listed if name.endswith("/")]
            found += [name for name in listed if not name.endswith("/")]
        return sorted(found)

    def read(self, name: str) -> SecretVersion:
        """Read the newest version of a secret; empty if it does not exist."""
        from hvac import exceptions

        try:
            answer: Any = self.vault.client.adapter.get(self._url("data", name))
        except exceptions.InvalidPath as error:
            # The response for a deleted version, which contains its metadata.
            answer = error.json or {}
        answer = answer.get("data") or {}
        if self.version == 1:
            return SecretVersion(answer)
        metadata = answer.get("metadata") or {}
        return SecretVersion(
            data=answer.get("data") or {},
            version=metadata.get("version", 0),
            custom_metadata=metadata.get("custom_metadata") or {},
            deleted=bool(metadata.get("deletion_time") or metadata.get("destroyed")),
        )

    def update(self, name: str, change: Callable[[SecretVersion], Mapping[str, Any] | None]) -> SecretVersion:
        """Write a new version of a secret that is computed from the newest one, even if other clients write meanwhile.

        Args:
            name: Name of the secret.
            change: Returns all values of the new version; None to write nothing.

        Returns:
            The version that was replaced, or the newest one if nothing was written.

        Raises:
            SecretsError: Other clients keep writing the same secret.
        """
        for _ in range(_ATTEMPTS):
            present = self.read(name)
            with suppress(ConcurrentWriteError):
                if (data := change(present)) is not None:
                    self.write(name, data, replacing=present)
                return present
        raise SecretsError(f"{name}: other clients keep writing it at {self}: stop them and run the same command again")

    def write(self, name: str, data: Mapping[str, Any], *, replacing: SecretVersion) -> None:
        """Write a new version of a secret.

        Args:
            name: Name of the secret.
            data: All values.
            replacing: The version that was read before.

        Raises:
            ConcurrentWriteError: A newer version exists; nothing was written.
        """
        from hvac import exceptions

        body = {"data": data, "options": {"cas": replacing.version}}
        try:
            self.vault.client.adapter.post(self._url("data", name), json=body)
        except exceptions.InvalidRequest as error:
            if "check-and-set" in str(error):
                raise ConcurrentWriteError from None
            raise

    def write_metadata(self, name: str, custom_metadata: Mapping[str, str]) -> None:
        """Write the custom metadata of a secret, without changing its other settings."""
        self.vault.client.adapter.post(self._url("metadata", name), json={"custom_metadata": custom_metadata})

    def delete(self, name: str) -> None:
        """Delete the newest version of a secret in KV version 2, which can be restored."""
        self.vault.client.adapter.delete(self._url("data", name))

    def entries(self, below: str = "") -> list[str]:
        """List what is directly below a subfolder, or the path itself; names of subfolders end in ``/``."""
        from hvac import exceptions

        try:
            answer = self.vault.client.adapter.list(self._url("metadata", below).rstrip("/"))
        except exceptions.InvalidPath:
            return []
        return list(answer["data"]["keys"])

    def _url(self, kind: str, name: str) -> str:
        from hvac.utils import format_url

        parts = (self.mount, kind, self.path, name) if self.version == 2 else (self.mount, self.path, name)  # noqa: PLR2004
        return format_url("/v1/{path}", path="/".join(part for part in parts if part))


def find(vault: Access, path: str) -> Folder:
    """Find the KV engine that contains a path.

    Args:
        vault: Vault, with a token.
        path: Mount and path, as in ``vaultPathPrefix``.

    Raises:
        SecretsError: The token has no access to a KV engine at the path, or Vault is unreachable, sealed or refuses
            the token.
    """
    from hvac import exceptions

    with vault.explained(path):
        try:
            # As in the command `vault kv`; it requires any capability below the path.
            answer: Any = vault.client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}")
        except exceptions.Forbidden:
            _check_token(vault)
            raise SecretsError(
                f"Vault at {vault.address} has no engine for the path {path} that the token in {vault.variable} can "
                "access: check the path (mount first, without `data/`) and the token's policy",
            ) from None
    found = answer["data"]
    if found["type"] not in ("kv", "generic"):
        raise SecretsError(
            f"{path} of Vault at {vault.address} is in an engine of type {found['type']}, expected KV: check the path"
        )
    mount = found["path"].rstrip("/")
    version = int((found["options"] or {}).get("version", "1"))
    return Folder(vault, mount, path.removeprefix(mount).strip("/"), version)


def _check_token(vault: Access) -> None:
    from hvac import exceptions

    try:
        vault.client.auth.token.lookup_self()
    except exceptions.Forbidden:
        raise SecretsError(
            f"Vault at {vault.address} refuses the token in {vault.variable}: it is wrong or has expired; log in again",
        ) from None
