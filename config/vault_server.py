"""The server of the site's own Vault: OpenBao on a VM."""

import base64
import binascii
from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Literal, Self

from pydantic import AnyHttpUrl, Field, SecretStr, field_validator, model_validator

from config.section import GiB, Name, Section, Slug
from config.tls import LETS_ENCRYPT
from config.versions import OPENBAO_MINIMUM

PORT = 8200
"""Where the server is reached, and nothing else is open but for ACME."""

WIDEST_CLIENTS = 8
"""Shortest prefix of a network that may reach the server: a slip must not open it to the world."""

_SEAL_KEY_BYTES = 32

Secret = Annotated[SecretStr, Field(min_length=1)]

Password = Annotated[SecretStr, Field(min_length=12)]
"""A password that people did not make up in a hurry."""


class AcmeCertificate(Section):
    """A certificate that the server itself obtains and renews (RFC 8555, challenge tls-alpn-01 on port 443)."""

    kind: Literal["acme"] = Field(description="OpenBao obtains its certificate; port 443 is open to the world for it")
    email: Name | None = Field(default=None, description="Where the authority may write to")
    directory: AnyHttpUrl = Field(default=LETS_ENCRYPT, description="ACME directory of the authority")


class GivenCertificate(Section):
    """A certificate that somebody obtained."""

    kind: Literal["given"] = Field(description="A certificate and its key from elsewhere")
    certificate: Secret = Field(description="Certificate and those that lead to its root, as PEM")
    key: Secret = Field(description="Its private key, as PEM (pulumi config set --secret)")


ServerTls = Annotated[AcmeCertificate | GivenCertificate, Field(discriminator="kind")]


class SealKey(Section):
    """A key of 256 bits."""

    id: Slug = Field(description="Name of the key: another key, another name")
    value: Secret = Field(description="32 bytes in base64: `openssl rand -base64 32` (pulumi config set --secret)")

    @field_validator("value")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        # Outside Pulumi an encrypted value is not known: a sentence stands for it, which has blanks.
        if " " in text:
            return value
        try:
            size = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != _SEAL_KEY_BYTES:
            raise ValueError(f"is not {_SEAL_KEY_BYTES} bytes in base64: make one by `openssl rand -base64 32`")
        return value


class StaticSeal(Section):
    """The server unseals itself with a key that it is given."""

    kind: Literal["static"] = Field(description="Unseal with a key of this stack; the server initialises itself")
    key: SealKey = Field(description="The key. Without it no backup can be read: keep it elsewhere, too")
    previous_key: SealKey | None = Field(default=None, description="The key before it, while it is being replaced")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.previous_key and self.previous_key.id == self.key.id:
            raise ValueError(f"key and previousKey have the same id {self.key.id}")
        return self


class TransitSeal(Section):
    """The server unseals itself by the transit engine of another Vault."""

    kind: Literal["transit"] = Field(description="Unseal by another Vault; the server initialises itself")
    address: AnyHttpUrl = Field(description="URL of the other Vault")
    mount: Name = Field(default="transit", description="Its transit engine")
    key_name: Name = Field(description="Name of the key in it")
    token: Secret = Field(description="A periodic orphan token that may encrypt and decrypt by that key")


class ShamirSeal(Section):
    """People initialise and unseal the server, after each of its starts."""

    kind: Literal["shamir"] = Field(description="People unseal it; no key leaves their hands")


Seal = Annotated[StaticSeal | TransitSeal | ShamirSeal, Field(discriminator="kind")]


class Package(Section):
    """The release of OpenBao to install, as the Debian package of its project."""

    version: str = Field(pattern=r"^\d+\.\d+\.\d+$", description="Release, such as 2.7.2")
    sha256: str = Field(
        pattern=r"^[0-9a-f]{64}$",
        description="SHA-256 of the package, from the release's signed checksums.txt; checked before it is installed",
    )
    source: AnyHttpUrl | None = Field(
        default=None,
        description="URL of the package; by default that of the release on GitHub for amd64",
    )

    @field_validator("version")
    @classmethod
    def _recent(cls, version: str) -> str:
        if tuple(map(int, version.split("."))) < OPENBAO_MINIMUM:
            raise ValueError(f"{version} is older than {'.'.join(map(str, OPENBAO_MINIMUM))}")
        return version

    @property
    def url(self) -> str:
        """Where to fetch the package."""
        releases = "https://github.com/openbao/openbao/releases/download"
        return str(self.source or f"{releases}/v{self.version}/openbao_{self.version}_linux_amd64.deb")


class Volume(Section):
    """The volume that holds everything that the server keeps."""

    size: GiB = Field(default=10, description="Size in GiB; may grow, never shrink")
    type: Name | None = Field(default=None, description="Cinder volume type; the cloud's default type if absent")


class VaultServer(Section):
    """A VM with OpenBao, and a volume whose data outlive it."""

    address: IPv4Address = Field(description="Fixed address in network.cidr, outside the pool that DHCP hands out")
    image: Name = Field(description="Glance image: Debian 12 or later with cloud-init, for amd64")
    flavor: Name = Field(description="Nova flavor; 1 GiB of memory is enough")
    volume: Volume = Field(default=Volume(), description="Where secrets, audit log and backups are kept")
    package: Package = Field(description="The release of OpenBao")
    floating_ip: bool = Field(
        default=True,
        description="Reach it from outside by a floating IP; without one only from the private network",
    )
    clients: tuple[IPv4Network, ...] = Field(
        min_length=1,
        description=(
            "Networks that may reach port 8200: those of operators and of CI, and of each environment the external "
            "address of its router (203.0.113.9/32), from which its nodes come; or the nodes' subnet, if Vault is in it"
        ),
    )
    tls: ServerTls = Field(description="Where its certificate comes from")
    seal: Seal = Field(description="What protects its data at rest, and who unseals it")
    backup_password: Password = Field(
        description="Password of `rsp-backup`, who may take snapshots and nothing else (pulumi config set --secret)",
    )
    admin_password: Password | None = Field(
        default=None,
        description=(
            "First password of `rsp-admin`, who may do everything and is to change it (pulumi config set --secret); "
            "absent with seal shamir, where people begin with a root token"
        ),
    )
    backups: int = Field(default=14, ge=1, le=1000, description="Daily snapshots to keep on the volume")

    @field_validator("clients")
    @classmethod
    def _narrow(cls, clients: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if wide := [str(each) for each in clients if each.prefixlen < WIDEST_CLIENTS]:
            raise ValueError(f"{', '.join(wide)} would open Vault to half the world: name the networks of its clients")
        return clients

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls.kind == "acme" and not self.floating_ip:
            raise ValueError("tls.kind acme needs floatingIp true: the authority asks the server from outside")
        if self.initialises_itself and self.admin_password is None:
            raise ValueError(f"adminPassword is missing: with seal {self.seal.kind} nobody else may change policies")
        return self

    @property
    def initialises_itself(self) -> bool:
        """Whether the server needs no people at its first start; OpenBao asks for an automatic unsealing there."""
        return self.seal.kind != "shamir"
