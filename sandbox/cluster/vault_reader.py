"""Reads Vault in the same way as vault-secrets-operator: AppRole login, detection of the KV version, values as strings.

Rules and messages are those of the operator's `vault/client.go` (v1.28).
"""

import base64
import binascii
import json
import tempfile
import time
import weakref
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Final

import hvac
from hvac.exceptions import InvalidPath, VaultError
from requests.exceptions import RequestException

TIMEOUT_SECONDS: Final = 10


class ReadError(Exception):
    """A secret cannot be read; the message is the operator's."""


class VaultReader:
    """Reads secrets with the credentials of the operator's Pod.

    Args:
        environment: The Pod's variables: VAULT_ADDRESS; VAULT_AUTH_METHOD (`approle` or `token`); VAULT_APP_ROLE_PATH,
            VAULT_ROLE_ID and VAULT_SECRET_ID, or VAULT_TOKEN; and VAULT_CACERT_BYTES, the CA of Vault as PEM.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        verify: str | bool = True
        if authorities := environment.get("VAULT_CACERT_BYTES"):
            # Each connection reads the file.
            with tempfile.NamedTemporaryFile("w", prefix="vault-ca-", delete=False) as file:
                file.write(authorities)
            weakref.finalize(self, Path(file.name).unlink)
            verify = file.name
        address = environment.get("VAULT_ADDRESS", "")
        self._client = hvac.Client(url=address, verify=verify, timeout=TIMEOUT_SECONDS)
        self._renew_at = 0.0

    def read(
        self, path: str, *, keys: Collection[str] = (), version: int = 0, is_binary: bool = False
    ) -> dict[str, bytes]:
        """Return the values of a secret.

        Args:
            path: Mount and path, without `data/`.
            keys: Keys to return; all if empty.
            version: Version (KV 2 only); 0 for the latest.
            is_binary: Whether the values are base64-encoded.

        Raises:
            ReadError: The secret does not exist or is empty, or Vault rejects the request.
        """
        self.authenticate()
        try:
            content = self._content(path, version)
        except (VaultError, RequestException) as error:
            raise ReadError(str(error)) from error
        data = {
            key: encode(value, is_binary=is_binary)
            for key, value in content.items()
            if value is not None and (not keys or key in keys)
        }
        if not data:
            raise ReadError("invalid secret data")
        return data

    def authenticate(self) -> None:
        """Log in, and again in the middle of the token's lease, where the operator renews it.

        Raises:
            ReadError: Vault rejects the credentials, or does not answer.
        """
        if time.monotonic() < self._renew_at:
            return
        variables = self._environment
        if variables.get("VAULT_AUTH_METHOD", "token") != "approle":
            self._client.token = variables.get("VAULT_TOKEN", "")
            self._renew_at = float("inf")
            return
        try:
            answer = self._client.auth.approle.login(
                role_id=variables.get("VAULT_ROLE_ID", ""),
                secret_id=variables.get("VAULT_SECRET_ID", ""),
                mount_point=variables.get("VAULT_APP_ROLE_PATH", "auth/approle").removeprefix("auth/"),
            )
        except (VaultError, RequestException) as error:
            raise ReadError(str(error)) from error
        self._renew_at = time.monotonic() + answer["auth"]["lease_duration"] / 2

    def _content(self, path: str, version: int) -> Mapping[str, Any]:
        mount = self._client.adapter.get(f"/v1/sys/internal/ui/mounts/{path}")["data"]
        is_v2 = (mount.get("options") or {}).get("version") == "2"
        if is_v2:
            path = f"{mount['path']}data/{path.removeprefix(mount['path'])}"
        try:
            data = self._client.adapter.get(f"/v1/{path}", params={"version": version} if is_v2 and version else {})[
                "data"
            ]
        except InvalidPath as error:
            raise ReadError("secret is nil") from error
        content = data["data"] if is_v2 else data
        if not isinstance(content, dict):
            raise ReadError("could not parse secret")
        return content


def encode(value: Any, *, is_binary: bool = False) -> bytes:
    """Return a value from Vault as bytes for a Kubernetes Secret.

    Raises:
        ReadError: The value has an unsupported type or is invalid base64.
    """
    if isinstance(value, str):
        if not is_binary:
            return value.encode()
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error as error:
            raise ReadError(f"illegal base64 data: {error}") from error
    if isinstance(value, dict):
        return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
    if isinstance(value, bool | int | float):
        return json.dumps(value).encode()
    raise ReadError("could not parse secret value")
