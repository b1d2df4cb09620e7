from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from config.section import Name, Section

_HOUR = 3600

Secret = Annotated[SecretStr, Field(min_length=1)]
"""A secret value, not empty, as Phalanx treats an empty one as missing."""


class Ownership(StrEnum):
    """Ownership of something that environments may share."""

    CREATE = "create"
    EXISTING = "existing"


class AppRole(Section):
    """The AppRole with which vault-secrets-operator reads this environment's secrets, and nothing else."""

    path: str = Field(
        default="approle",
        pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
        description="Path of the AppRole auth method",
    )
    ownership: Ownership = Field(
        default=Ownership.CREATE,
        description="create: this stack enables the auth method; existing: it is enabled already",
    )
    token_ttl: int = Field(
        default=_HOUR, ge=60, description="Lifetime of a token in seconds; vault-secrets-operator renews it"
    )
    token_max_ttl: int = Field(
        default=32 * 24 * _HOUR,
        ge=60,
        description=(
            "Maximum lifetime of a token in seconds; must exceed the 16 days after which vault-secrets-operator logs "
            "in again (its VAULT_TOKEN_MAX_TTL), otherwise it fails for a moment each time"
        ),
    )
    secret_id_rotation: Name = Field(
        default="initial",
        description=(
            "Any text, such as a date. A change creates a new secret ID, passes it to the cluster, restarts "
            "vault-secrets-operator (with rsp:applications.sync manual, sync it yourself) and revokes the old one"
        ),
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.token_max_ttl < self.token_ttl:
            raise ValueError(f"tokenMaxTtl {self.token_max_ttl} is shorter than tokenTtl {self.token_ttl}")
        return self


class Vault(Section):
    """The Vault that keeps the environment's secrets.

    Vault must exist before any environment. Its token is never part of the configuration: set VAULT_TOKEN.
    """

    address: AnyHttpUrl | None = Field(
        default=None,
        description="URL of Vault as this program reaches it, if it differs from the Phalanx environment's vaultUrl",
    )
    mount: Ownership = Field(
        default=Ownership.CREATE,
        description="create: this stack mounts the KV v2 engine; existing: it is mounted already, and may be shared",
    )
    approle: AppRole = Field(default=AppRole(), description="Login of the cluster")
    write_token_ttl: int = Field(
        default=30 * 24 * _HOUR,
        ge=8 * 24 * _HOUR,
        description=(
            "Lifetime in seconds of the token for `phalanx secrets sync`, up to Vault's own maximum (32 days by "
            "default). `pulumi up --refresh` renews it in its last week, as far as that maximum allows, and creates a "
            "new one after it has expired; in the week before, `phalanx vault audit` warns"
        ),
    )
    rotation: dict[str, Name] = Field(
        default={},
        description=(
            "Any text, such as a date, by application or application/key. A change generates new values of these "
            "secrets, and of those that are copied or derived from them. Removing an entry changes nothing, nor does "
            "an entry that exists when the stack is created and Vault has the secret already"
        ),
    )

    def reached_at(self, vault_url: str) -> str:
        """Return the URL of Vault as this program reaches it, without a trailing slash.

        Args:
            vault_url: The Phalanx environment's ``vaultUrl``, which applications use.
        """
        return str(self.address or vault_url).rstrip("/")


class Registry(Section):
    """A login to a container registry."""

    username: Name = Field(description="User name")
    password: Secret = Field(description="Password or access token (pulumi config set --secret)")


class OidcClient(Section):
    """A client of Gafaelfawr's OpenID Connect server."""

    id: Name = Field(description="Client ID")
    secret: Secret = Field(description="Client secret (pulumi config set --secret)")
    return_uri: AnyHttpUrl = Field(description="Redirect URL after login")


class Secrets(Section):
    """Static secrets; those that exist in Vault may be omitted."""

    file: Path | None = Field(
        default=None,
        description=(
            "File of static secrets as `python -m operations secrets template` writes it: encrypted with SOPS, or in "
            "plaintext, readable only by its owner and never committed; values in this section take precedence"
        ),
    )
    applications: dict[str, dict[str, Secret]] = Field(
        default={},
        description="Static secrets by application and key (pulumi config set --secret --path)",
    )
    registries: dict[str, Registry] = Field(default={}, description="Logins of the pull secret, by registry host")
    oidc_clients: dict[str, OidcClient] = Field(
        default={},
        description="Clients of Gafaelfawr's OpenID Connect server, by name",
    )
