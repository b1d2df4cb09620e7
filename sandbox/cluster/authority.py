"""Certificate authorities and certificates signed by them."""

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from sandbox.files import write_atomically

LIFETIME: Final = timedelta(days=365)
RENEW_BEFORE: Final = timedelta(days=30)
_CLOCK_SKEW: Final = timedelta(minutes=5)

_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, kw_only=True)
class KeyPair:
    """PEM files with a certificate and its key."""

    certificate: Path
    key: Path


@dataclass(frozen=True, kw_only=True)
class Request:
    """The content of a certificate."""

    common_name: str
    organization: str | None = None
    """Group of the Kubernetes user."""
    hosts: Sequence[str] = ()
    """DNS names and IP addresses, for a server certificate."""

    @property
    def subject(self) -> x509.Name:
        """The subject's distinguished name."""
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, self.common_name)]
        if self.organization:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, self.organization))
        return x509.Name(attributes)

    @property
    def alternative_names(self) -> x509.SubjectAlternativeName | None:
        """The subject alternative names; None for a client certificate."""
        return x509.SubjectAlternativeName([_general_name(host) for host in self.hosts]) if self.hosts else None


class Authority:
    """A certificate authority."""

    def __init__(self, certificate: x509.Certificate, key: _Key) -> None:
        self.certificate = certificate
        self._key = key

    @classmethod
    def load(cls, certificate: Path, key: Path) -> "Authority":
        """Read an authority from PEM files.

        Raises:
            TypeError: The key is neither RSA nor ECDSA.
        """
        private_key = serialization.load_pem_private_key(key.read_bytes(), password=None)
        if not isinstance(private_key, _Key):
            raise TypeError(f"{key}: expected an RSA or ECDSA key")
        return cls(x509.load_pem_x509_certificate(certificate.read_bytes()), private_key)

    @classmethod
    def ensure(cls, directory: Path, name: str) -> tuple["Authority", KeyPair]:
        """Return the authority `<name>.crt` and `<name>.key` in a directory, creating it if necessary."""
        pair = _pair(directory, name)
        if not _is_valid(pair, None, Request(common_name=name)):
            key = ec.generate_private_key(ec.SECP256R1())
            subject = Request(common_name=name).subject
            certificate = (
                _builder(subject, subject, key)
                .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
                .sign(key, hashes.SHA256())
            )
            _write(pair, certificate, key)
        return cls.load(pair.certificate, pair.key), pair

    def ensure_signed(self, directory: Path, name: str, request: Request) -> KeyPair:
        """Return a certificate of this authority; it is replaced if the request has changed or if it expires soon."""
        pair = _pair(directory, name)
        if _is_valid(pair, self, request):
            return pair
        key = ec.generate_private_key(ec.SECP256R1())
        usage = ExtendedKeyUsageOID.SERVER_AUTH if request.hosts else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = _builder(request.subject, self.certificate.subject, key).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if request.alternative_names:
            builder = builder.add_extension(request.alternative_names, critical=False)
        _write(pair, builder.sign(self._key, hashes.SHA256()), key)
        return pair

    def has_signed(self, certificate: x509.Certificate) -> bool:
        """Return whether this authority has signed a certificate."""
        try:
            certificate.verify_directly_issued_by(self.certificate)
        except (InvalidSignature, ValueError):
            return False
        return True


def ensure_signing_key(directory: Path, name: str) -> tuple[Path, Path]:
    """Return the private and public RSA key for service account tokens, creating them if necessary."""
    private, public = directory / f"{name}.key", directory / f"{name}.pub"
    if not (private.exists() and public.exists()):
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public_pem = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        write_atomically(public, public_pem.decode())
        write_atomically(private, _pem(key))
    return private, public


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _CLOCK_SKEW)
        .not_valid_after(now + LIFETIME)
    )


def _is_valid(pair: KeyPair, authority: Authority | None, request: Request) -> bool:
    """Return whether a pair exists, matches the request, is signed by the authority (if any) and stays valid."""
    if not (pair.certificate.exists() and pair.key.exists()):
        return False
    certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
    try:
        names: x509.SubjectAlternativeName | None = certificate.extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        ).value
    except x509.ExtensionNotFound:
        names = None
    return (
        certificate.subject == request.subject
        and names == request.alternative_names
        and certificate.not_valid_after_utc - datetime.now(UTC) > RENEW_BEFORE
        and (authority is None or authority.has_signed(certificate))
    )


def _pair(directory: Path, name: str) -> KeyPair:
    return KeyPair(certificate=directory / f"{name}.crt", key=directory / f"{name}.key")


def _write(pair: KeyPair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    write_atomically(pair.key, _pem(key))
    write_atomically(pair.certificate, certificate.public_bytes(serialization.Encoding.PEM).decode())


def _pem(key: _Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
