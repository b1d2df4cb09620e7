"""The server of the site's own Vault: OpenBao on a VM."""

import base64
import binascii
from ipaddress import IPv4Network
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from config.addresses import Address, ClientNetwork, Email, HttpsUrl
from config.changes import in_place, refused, replaces
from config.nfs import VOLUME_TYPE, VOLUME_ZONE, ServerBootVolume
from config.section import (
    MAY_BE_PLAIN,
    SEALED,
    GiB,
    Matching,
    Name,
    PathName,
    Secret,
    SecretLine,
    Section,
    Slug,
)
from config.tls import LETS_ENCRYPT
from config.versions import OPENBAO_MINIMUM

PORT = 8200
"""Port of Vault's API; the only other open port is that of ACME."""

WIDEST_CLIENTS = 8
"""Shortest prefix length of a client network: a mistake must not open the server to the Internet."""

_SEAL_KEY_BYTES = 32

_VM = replaces("the VM; the data remains, and Vault does not answer for some minutes")

KeyName = Annotated[str, Matching(r"[A-Za-z0-9_.-]+", "letters, digits, hyphens, dots and underscores, such as rsp")]
"""Name of a key in a transit engine."""

Password = Annotated[SecretLine, Field(min_length=12)]
"""A password of a user of Vault."""


class AcmeCertificate(Section):
    """A certificate that OpenBao obtains and renews (RFC 8555, challenge tls-alpn-01 on port 443)."""

    kind: Literal["acme"] = Field(
        description="OpenBao obtains its certificate; port 443 is open to the Internet for it"
    )
    email: Email | None = Field(
        default=None, description="Email address for notices of the CA", examples=["operators@example.org"]
    )
    directory: HttpsUrl = Field(default=LETS_ENCRYPT, description="ACME directory of the CA")


class GivenCertificate(Section):
    """A certificate that was obtained elsewhere."""

    kind: Literal["given"] = Field(description="Use a certificate that was obtained elsewhere")
    certificate: Annotated[Secret, MAY_BE_PLAIN] = Field(
        description="Certificate, followed by its intermediate certificates, as PEM"
    )
    key: Secret = Field(description="Private key of the certificate, as PEM (pulumi config set --secret)")


class PrivateCertificate(Section):
    """A certificate of a CA that this stack creates for this server alone."""

    kind: Literal["private"] = Field(
        description="This stack creates a CA and the certificate; clients must trust the output vaultCaCertificate"
    )
    rotation: Name = Field(
        default="initial",
        description="Any text, such as a date. A change creates another certificate of the same CA",
        examples=["2026-11-26"],
    )


ServerTls = Annotated[AcmeCertificate | GivenCertificate | PrivateCertificate, Field(discriminator="kind")]


_SEAL = refused(
    "OpenBao cannot read data that another seal encrypted; take a snapshot, migrate the seal by hand "
    "(openbao.org/docs/concepts/seal#seal-migration), and change the key with `pulumi up --replace "
    "'**::created-with-server.seal.kind'`"
)
_SEAL_KEY = replaces(
    "the VM; the data remains. Move the current key to `previousKey` first, without which OpenBao cannot read its data"
)


class SealKey(Section):
    """A 256-bit key."""

    id: Slug = Field(description="Name of the key; each key needs a different one", examples=["key-1"])
    value: SecretLine = Field(description="32 bytes in base64: `openssl rand -base64 32` (pulumi config set --secret)")

    @field_validator("value")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        text = value.get_secret_value()
        if text == SEALED:
            return value
        try:
            size = len(base64.b64decode(text, validate=True))
        except (binascii.Error, ValueError):
            size = 0
        if size != _SEAL_KEY_BYTES:
            raise ValueError(f"is not {_SEAL_KEY_BYTES} bytes in base64: generate one with `openssl rand -base64 32`")
        return value


class StaticSeal(Section):
    """A seal with a key on the server's disk."""

    kind: Annotated[Literal["static"], _SEAL] = Field(
        description="Unseal with a key from this file; the server initializes itself"
    )
    key: Annotated[SealKey, _SEAL_KEY] = Field(
        description="Current key. No backup can be read without it: keep a copy elsewhere"
    )
    previous_key: SealKey | None = Field(default=None, description="Previous key, while it is being replaced")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if self.previous_key and self.previous_key.id == self.key.id:
            raise ValueError(f"key and previousKey have the same id {self.key.id}")
        return self


class TransitSeal(Section):
    """A seal with a key in the transit engine of another Vault."""

    kind: Annotated[Literal["transit"], _SEAL] = Field(
        description="Unseal with another Vault; the server initializes itself"
    )
    address: HttpsUrl = Field(description="URL of the other Vault", examples=["https://vault.example.org:8200"])
    mount: PathName = Field(default="transit", description="Path of its transit engine")
    key_name: KeyName = Field(description="Name of the key in that engine", examples=["rsp"])
    token: SecretLine = Field(
        description="Periodic orphan token that may encrypt and decrypt with that key (pulumi config set --secret)"
    )


class ShamirSeal(Section):
    """A seal with a key that is shared among operators, who unseal the server after each start."""

    kind: Annotated[Literal["shamir"], _SEAL] = Field(
        description="Operators initialize and unseal the server, and keep the keys"
    )


Seal = Annotated[StaticSeal | TransitSeal | ShamirSeal, Field(discriminator="kind")]


class Package(Section):
    """The release of OpenBao to install, as a Debian package."""

    version: Annotated[str, Matching(r"[0-9]{1,3}(\.[0-9]{1,3}){2}", "a release, such as 2.7.2")] = Field(
        description="Release", examples=["2.7.2"]
    )
    sha256: Annotated[str, Matching(r"[0-9a-f]{64}", "64 hexadecimal digits in lower case")] = Field(
        description="SHA-256 of the package, from the release's signed checksums.txt; checked before it is installed",
        examples=["1f0e..."],
    )
    source: HttpsUrl | None = Field(
        default=None,
        description="URL of the package; by default the release for amd64 on GitHub",
        examples=["https://mirror.example.org/openbao_2.7.2_linux_amd64.deb"],
    )

    @field_validator("version")
    @classmethod
    def _recent(cls, version: str) -> str:
        if tuple(map(int, version.split("."))) < OPENBAO_MINIMUM:
            raise ValueError(f"{version} is older than {'.'.join(map(str, OPENBAO_MINIMUM))}")
        return version

    @property
    def url(self) -> str:
        """URL of the package."""
        releases = "https://github.com/openbao/openbao/releases/download"
        return str(self.source or f"{releases}/v{self.version}/openbao_{self.version}_linux_amd64.deb")


class Volume(Section):
    """The data volume."""

    size: Annotated[
        GiB, in_place("extends the volume; the file system grows at the next boot of the VM. A smaller size is refused")
    ] = Field(default=10, description="Size in GiB; may grow, never shrink")
    type: Annotated[Name | None, VOLUME_TYPE] = Field(
        default=None, description="Cinder volume type; the cloud's default type if absent", examples=["ceph-ssd"]
    )
    availability_zone: Annotated[Name | None, VOLUME_ZONE] = Field(
        default=None,
        description="Cinder availability zone; the cloud's default if absent. Nova must be able to attach the volume",
        examples=["nova"],
    )


class VaultServerSettings(Section):
    """A VM with OpenBao, and a volume whose data outlives it."""

    address: Annotated[
        Address,
        replaces("port and VM; the data and the floating IP remain, and Vault does not answer for some minutes"),
    ] = Field(description="Fixed address in network.cidr, outside the pool of DHCP", examples=["10.30.0.10"])
    image: Annotated[
        Name,
        replaces("the VM; the data remains. A newer image of the same name is used at the next replacement"),
    ] = Field(
        description="Glance image, by name or ID: Debian 12 or later with cloud-init, for amd64", examples=["debian-12"]
    )
    availability_zone: Annotated[Name | None, replaces(f"{_VM.text}. The removal is refused, as the VM would stay")] = (
        Field(default=None, description="Nova availability zone; any if absent", examples=["az-1"])
    )
    flavor: Annotated[Name, in_place("resizes the VM, with a restart; seal shamir: unseal it afterwards")] = Field(
        description="Nova flavor; 1 GiB of memory is enough", examples=["m1.small"]
    )
    boot_volume: Annotated[ServerBootVolume | None, _VM] = Field(
        default=None,
        description="Root disk as a Cinder volume, for flavors without a disk; the flavor's disk if absent",
    )
    volume: Volume = Field(default=Volume(), description="Volume for secrets, audit log and backups")
    package: Annotated[Package, _VM] = Field(description="Release of OpenBao")
    floating_ip: Annotated[
        bool,
        refused(
            "from true to false, as clients use the protected floating IP; unprotect it (`pulumi state unprotect`) to "
            "delete it. From false to true, it is created"
        ),
    ] = Field(
        default=True,
        description="Whether the server has a floating IP; without one, it is reached in its own network only",
    )
    clients: Annotated[
        tuple[ClientNetwork, ...], in_place("creates and deletes rules of the security group; the VM is not affected")
    ] = Field(
        min_length=1,
        max_length=90,
        description=(
            "Networks that may connect to port 8200: those of operators and CI, and for each environment the external "
            "address of its router (such as 203.0.113.9/32), from which its nodes connect, or the nodes' subnet if "
            "they share the Vault's network"
        ),
        examples=[["192.0.2.0/28", "203.0.113.9/32"]],
        json_schema_extra={"uniqueItems": True},
    )
    tls: Annotated[ServerTls, _VM] = Field(description="Source of the TLS certificate")
    seal: Annotated[Seal, _VM] = Field(description="Encryption of the data at rest, and method of unsealing")
    backup_password: Annotated[
        Password, replaces("the VM; the data remains. Set the password of `rsp-backup` in Vault first, or backups fail")
    ] = Field(
        description="Password of `rsp-backup`, which may only take snapshots (pulumi config set --secret)",
    )
    admin_password: Annotated[
        Password | None,
        refused(
            "it is used at the first start only; run `bao write auth/userpass/users/rsp-admin/password password=-`"
        ),
    ] = Field(
        default=None,
        description=(
            "Initial password of `rsp-admin`, which has all permissions (pulumi config set --secret); change it after "
            "the first start; absent with seal shamir, where operators start with a root token"
        ),
    )
    backups: Annotated[int, _VM] = Field(default=14, ge=1, le=1000, description="Daily snapshots to keep on the volume")

    @field_validator("clients")
    @classmethod
    def _narrow(cls, clients: tuple[IPv4Network, ...]) -> tuple[IPv4Network, ...]:
        if wide := [str(each) for each in clients if each.prefixlen < WIDEST_CLIENTS]:
            raise ValueError(
                f"{', '.join(wide)} would open Vault to a large part of the Internet: use the networks of its clients"
            )
        if repeated := sorted({str(each) for each in clients if clients.count(each) > 1}):
            raise ValueError(f"repeats {', '.join(repeated)}: remove the repetition")
        return clients

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.tls.kind == "acme" and not self.floating_ip:
            raise ValueError(
                "tls.kind acme needs floatingIp true: the authority connects to the server from the Internet"
            )
        if self.initializes_itself and self.admin_password is None:
            raise ValueError(f"adminPassword is missing: with seal {self.seal.kind} no other user may change policies")
        return self

    @property
    def initializes_itself(self) -> bool:
        """True if the server initializes itself at its first start, for which OpenBao requires an automatic unseal."""
        return self.seal.kind != "shamir"
