from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AnyHttpUrl, Field, SecretStr, model_validator

from config.section import Name, Section

_HOUR = 3600

Secret = Annotated[SecretStr, Field(min_length=1)]
"""A secret value; to Phalanx an empty one is none."""


class Ownership(StrEnum):
    """Whether the stack makes something that environments may share, or finds it."""

    CREATE = "create"
    EXISTING = "existing"


class AppRole(Section):
    """The AppRole by which vault-secrets-operator reads this environment's secrets, and nothing else."""

    path: str = Field(
        default="approle",
        pattern=r"^[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*$",
        description="Path of the AppRole auth method",
    )
    ownership: Ownership = Field(
        default=Ownership.CREATE,
        description="create: this stack enables the auth method; existing: another one has done so",
    )
    token_ttl: int = Field(default=_HOUR, ge=60, description="Life of a token in seconds; the operator renews it")
    token_max_ttl: int = Field(
        default=32 * 24 * _HOUR,
        ge=60,
        description=(
            "Seconds after which a token cannot be renewed; more than the 16 days after which vault-secrets-operator "
            "logs in anew by itself (its VAULT_TOKEN_MAX_TTL), or it fails for a moment each time"
        ),
    )
    secret_id_rotation: Name = Field(
        default="initial",
        description=(
            "Any text, such as a date: another one makes a new secret id, hands it to the cluster, rolls "
            "vault-secrets-operator (with rsp:applications.sync manual, sync it yourself) and revokes the old one"
        ),
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.token_max_ttl < self.token_ttl:
            raise ValueError(f"tokenMaxTtl {self.token_max_ttl} is shorter than tokenTtl {self.token_ttl}")
        return self


class Vault(Section):
    """Where the environment's secrets are kept.

    Vault exists before any environment. The token that opens it is never configuration: set VAULT_TOKEN.
    """

    address: AnyHttpUrl | None = Field(
        default=None,
        description="URL of Vault as this program reaches it, if it differs from the Phalanx environment's vaultUrl",
    )
    mount: Ownership = Field(
        default=Ownership.CREATE,
        description="create: this stack mounts the KV v2 engine; existing: it is there, and others may use it",
    )
    approle: AppRole = Field(default=AppRole(), description="How the cluster logs in")
    write_token_ttl: int = Field(
        default=30 * 24 * _HOUR,
        ge=8 * 24 * _HOUR,
        description=(
            "Life in seconds of the token for `phalanx secrets sync`, up to Vault's own maximum (32 days unless it is "
            "told otherwise). `pulumi up --refresh` renews it in its last week, as far as that maximum allows, and "
            "makes a new one once it has ended; a week before that `phalanx vault audit` begins to warn"
        ),
    )
    rotation: dict[str, Name] = Field(
        default={},
        description=(
            "By application or application/key any text, such as a date: another one generates the secrets there "
            "anew, and what is copied or derived from them follows. A line that is taken out again changes nothing, "
            "nor does one that is there when the stack is made and Vault holds the secret already"
        ),
    )

    def reached_at(self, vault_url: str) -> str:
        """URL of Vault as this program reaches it, without a slash at its end.

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

    id: Name = Field(description="Client id")
    secret: Secret = Field(description="Client secret (pulumi config set --secret)")
    return_uri: AnyHttpUrl = Field(description="URL to which a user may be sent back")


class Secrets(Section):
    """Secrets that a person gives; one that stands in Vault already may be left out."""

    file: Path | None = Field(
        default=None,
        description=(
            "File of static secrets as `python -m operations secrets template` writes it: encrypted with SOPS, or in "
            "clear, readable by its owner alone and never committed; what stands here too wins over it"
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
