"""Generators of secret values, following src/phalanx/models/secrets.py of Phalanx.

Each call returns a new value; the caller has to store it.
"""

import base64
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum

import bcrypt
from cryptography.fernet import Fernet
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import BaseModel, ConfigDict, Field

_BCRYPT_ROUNDS = 15
_RSA_BITS = 2048
BCRYPT_LIMIT = 72
"""Longest password that bcrypt can hash, in bytes."""


class GeneratorType(StrEnum):
    """``generate.type`` in secrets.yaml."""

    PASSWORD = "password"  # noqa: S105 - the name of a generator
    GAFAELFAWR_TOKEN = "gafaelfawr-token"  # noqa: S105 - likewise
    FERNET_KEY = "fernet-key"
    RSA_PRIVATE_KEY = "rsa-private-key"
    BCRYPT_PASSWORD_HASH = "bcrypt-password-hash"  # noqa: S105 - likewise
    MTIME = "mtime"
    OIDC_CLIENTS = "oidc-clients"

    @property
    def needs_source(self) -> bool:
        """True if the value is derived from another secret of the same application."""
        return self in {GeneratorType.BCRYPT_PASSWORD_HASH, GeneratorType.MTIME}

    @property
    def always_generated(self) -> bool:
        """True if the value is generated in each run, even if Vault has one."""
        return self is GeneratorType.OIDC_CLIENTS


class OidcClient(BaseModel):
    """An OpenID Connect client of Gafaelfawr's server, in Gafaelfawr's format."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    id: str
    """Client ID."""

    secret: str = Field(repr=False)
    """Client secret."""

    return_uri: str
    """Redirect URI."""


def generate(generator: GeneratorType, source: str | None = None) -> str:
    """Generate a value.

    Args:
        generator: Any type except ``oidc-clients``, for which see `oidc_clients`.
        source: Value of the secret from which the new one is derived, for a type that `needs_source`.

    Raises:
        ValueError: The source is missing or too long to be hashed, or the type is ``oidc-clients``.
    """
    match generator:
        case GeneratorType.PASSWORD:
            return secrets.token_hex(32)
        case GeneratorType.GAFAELFAWR_TOKEN:
            return f"gt-{_url_safe()}.{_url_safe()}"
        case GeneratorType.FERNET_KEY:
            return Fernet.generate_key().decode()
        case GeneratorType.RSA_PRIVATE_KEY:
            return _rsa_private_key()
        case GeneratorType.BCRYPT_PASSWORD_HASH:
            return _bcrypt_hash(_required(source, generator))
        case GeneratorType.MTIME:
            # The value of the source is not used, but it must exist.
            _required(source, generator)
            return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        case GeneratorType.OIDC_CLIENTS:
            raise ValueError("oidc-clients is generated from the clients: use oidc_clients()")


def is_hash(text: str, password: str) -> bool:
    """Return whether a text is a bcrypt hash of a password."""
    try:
        return bcrypt.checkpw(password.encode(), text.encode())
    except ValueError:
        return False


def oidc_clients(clients: Mapping[str, OidcClient]) -> str:
    """Serialize OpenID Connect clients as the value of a secret of type ``oidc-clients``.

    Args:
        clients: Clients by their name in the configuration, by which they are ordered.
    """
    return json.dumps([client.model_dump() for _, client in sorted(clients.items())])


def _url_safe() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")


def _rsa_private_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def _bcrypt_hash(password: str) -> str:
    if len(password.encode()) > BCRYPT_LIMIT:
        raise ValueError(f"bcrypt cannot hash a password of more than {BCRYPT_LIMIT} bytes")
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(rounds=_BCRYPT_ROUNDS)).decode()


def _required(source: str | None, generator: GeneratorType) -> str:
    if not source:
        raise ValueError(f"{generator} requires the value of its source")
    return source
