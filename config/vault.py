from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from config.addresses import HttpsUrl, RegistryHost, VaultUrl
from config.changes import in_place, refused, replaces
from config.files import CaFile, FilePath, ca_certificates
from config.section import MAX_TTL, Matching, Name, PathName, Secret, SecretLine, SecretName, Section, Slug

_HOUR = 3600

Rotated = Annotated[
    str,
    Matching(
        r"[a-z]([a-z0-9-]{0,61}[a-z0-9])?(/[A-Za-z0-9._-]+)?",
        "an application or one of its secrets, such as gafaelfawr or argocd/admin.plaintext_password",
        317,
    ),
]
"""Application, or application/key of a secret."""

Username = Annotated[str, Matching(r"[^\s:]+", "a user name without blanks and colons, such as robot")]
"""Name of a user in HTTP's basic authentication (RFC 7617)."""

ClientId = Annotated[str, Matching(r"[!-~]+", "ASCII characters without blanks, such as chronograf")]
"""ID of an OAuth client (RFC 6749, appendix A.1)."""


class Ownership(StrEnum):
    """Ownership of a part of Vault that environments may share."""

    CREATE = "create"
    EXISTING = "existing"


_ROLE = in_place("updates the role; existing tokens keep their lifetime")


class AppRole(Section):
    """The AppRole with which vault-secrets-operator reads this environment's secrets, and nothing else."""

    path: Annotated[
        PathName,
        replaces(
            "role and secret ID, and updates vault-secrets-operator; the auth method at the old path is kept for "
            "other environments"
        ),
    ] = Field(default="approle", description="Path of the AppRole auth method")
    ownership: Annotated[
        Ownership,
        refused(
            "a stack that created the auth method keeps managing it. To hand it over, change its description in Vault "
            "first (`vault auth tune`): the stack then forgets it, and keeps it in Vault"
        ),
    ] = Field(
        default=Ownership.CREATE,
        description="create: this stack enables the auth method; existing: it is enabled already",
    )
    token_ttl: Annotated[int, _ROLE] = Field(
        default=_HOUR,
        ge=60,
        le=MAX_TTL,
        description="Lifetime of a token in seconds; vault-secrets-operator renews it",
    )
    token_max_ttl: Annotated[int, _ROLE] = Field(
        default=32 * 24 * _HOUR,
        ge=60,
        le=MAX_TTL,
        description=(
            "Maximum lifetime of a token in seconds; must exceed the 16 days after which vault-secrets-operator logs "
            "in again (its VAULT_TOKEN_MAX_TTL), otherwise it fails for a moment each time"
        ),
    )
    secret_id_rotation: Annotated[
        Name, replaces("the secret ID, and restarts vault-secrets-operator with the new one")
    ] = Field(
        default="initial",
        description=(
            "Any text, such as a date. A change creates a new secret ID, passes it to the cluster, restarts "
            "vault-secrets-operator (with rsp:applications.sync manual, sync it yourself; with wiring verify, restart "
            "it yourself) and revokes the old one"
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

    address: Annotated[VaultUrl | None, in_place("later requests use the other URL of the same Vault")] = Field(
        default=None,
        description="URL of Vault as this program reaches it, if it differs from the Phalanx environment's vaultUrl",
        examples=["https://vault.example.org:8200"],
    )
    ca_file: Annotated[
        CaFile | None,
        in_place("later requests trust the other CA; restarts vault-secrets-operator with it, unless wiring is verify"),
    ] = Field(
        default=None,
        description=(
            "File with the certificate of the private CA that has signed Vault's, as PEM; this program and "
            "vault-secrets-operator then trust no other. If absent, they trust public CAs, and this program that in "
            "VAULT_CACERT"
        ),
        examples=["certificates/vault.pem"],
    )
    mount: Annotated[
        Ownership,
        refused(
            "a stack that created the engine keeps managing it. To hand it over, change its description in Vault first "
            "(`vault secrets tune`), and run `pulumi state unprotect`: the stack then forgets it, and keeps it in Vault"
        ),
    ] = Field(
        default=Ownership.CREATE,
        description="create: this stack mounts the KV v2 engine; existing: it is mounted already, and may be shared",
    )
    approle: AppRole = Field(default=AppRole(), description="Login of the cluster")
    write_token_ttl: Annotated[
        int, replaces("the write token: pass the new one to whoever runs `phalanx secrets sync`")
    ] = Field(
        default=30 * 24 * _HOUR,
        ge=8 * 24 * _HOUR,
        le=MAX_TTL,
        description=(
            "Lifetime in seconds of the token for `phalanx secrets sync`, up to Vault's own maximum (32 days by "
            "default). `pulumi up --refresh` and the nightly preview renew it in its last week, as far as that maximum "
            "allows. After it has expired, `pulumi up --refresh` creates a new one; in the week before, `phalanx vault "
            "audit` warns"
        ),
    )
    rotation: Annotated[
        dict[Rotated, Name],
        replaces(
            "the generated values of these secrets. Applications read them when they restart; a database keeps the old "
            "password until its user is altered"
        ),
    ] = Field(
        default={},
        description=(
            "Any text, such as a date, by application or application/key. A change generates new values of these "
            "secrets, and of those that are copied or derived from them. Removing an entry changes nothing, nor does "
            "an entry that exists when the stack is created and Vault has the secret already"
        ),
        examples=[{"gafaelfawr": "2026-11-26"}],
    )

    @property
    def ca_certificates(self) -> str:
        """Certificates of the private CA as PEM; empty if Vault's certificate is from a public CA."""
        return ca_certificates(self.ca_file) if self.ca_file else ""

    def reached_at(self, vault_url: str) -> str:
        """Return the URL of Vault as this program reaches it, without a trailing slash.

        Args:
            vault_url: The Phalanx environment's ``vaultUrl``, which applications use.
        """
        return str(self.address or vault_url).rstrip("/")


_PULL = in_place("writes the pull secret to Vault, from which the cluster updates it within a minute")
_OIDC = in_place("writes the clients to Vault; restart gafaelfawr, which reads them at its start")


class Registry(Section):
    """A login to a container registry."""

    username: Annotated[Username, _PULL] = Field(description="User name", examples=["robot"])
    password: Annotated[SecretLine, _PULL] = Field(description="Password or access token (pulumi config set --secret)")


class OidcClientSettings(Section):
    """A client of Gafaelfawr's OpenID Connect server."""

    id: Annotated[ClientId, _OIDC] = Field(description="Client ID", examples=["chronograf"])
    secret: Annotated[SecretLine, _OIDC] = Field(description="Client secret (pulumi config set --secret)")
    return_uri: Annotated[HttpsUrl, _OIDC] = Field(
        description="Redirect URL after login", examples=["https://rsp.example.org/chronograf/oauth/callback"]
    )


_STATIC = in_place(
    "writes the values to Vault; applications read them when they restart. A value that is removed remains in Vault"
)


class Secrets(Section):
    """Static secrets; those that exist in Vault may be omitted."""

    file: Annotated[FilePath | None, _STATIC] = Field(
        default=None,
        description=(
            "File of static secrets as `python -m operations secrets template` writes it: encrypted with SOPS, or in "
            "plaintext, readable only by its owner and never committed; values in this section take precedence"
        ),
        examples=["static-secrets.yaml"],
    )
    applications: Annotated[dict[Slug, dict[SecretName, Secret]], _STATIC] = Field(
        default={},
        description="Static secrets by application and key (pulumi config set --secret --path)",
        examples=[{"mobu": {"ALERT_HOOK": {"secure": "..."}}}],
    )
    registries: Annotated[
        dict[RegistryHost, Registry], in_place(f"{_PULL.text}. Without any login, the pull secret in Vault is kept")
    ] = Field(
        default={},
        description="Logins of the pull secret, by registry host",
        examples=[{"ghcr.io": {"username": "robot", "password": {"secure": "..."}}}],
    )
    oidc_clients: Annotated[dict[Name, OidcClientSettings], _OIDC] = Field(
        default={},
        description="Clients of Gafaelfawr's OpenID Connect server, by name",
        examples=[
            {
                "chronograf": {
                    "id": "chronograf",
                    "secret": {"secure": "..."},
                    "returnUri": "https://rsp.example.org/callback",
                }
            }
        ],
    )
