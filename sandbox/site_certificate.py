"""The TLS certificate of the sandbox's platform, in a file of static secrets as at a real site.

`up` creates it, and renews it long before the program would warn of its expiry.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from phalanx import certificates, environment, static_secrets
from phalanx.errors import PhalanxError
from phalanx.secrets import SecretKey
from sandbox import git, paths
from sandbox.files import write_atomically

FILE: Final = paths.HOME / "static-secrets.yaml"
"""The file that `rsp:secrets.file` in Pulumi.sandbox.yaml refers to; mode 0600."""

_LIFETIME: Final = timedelta(days=90)
_RENEWAL: Final = timedelta(days=30)  # before expiry

_ONLY_CERTIFICATES: Final = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)
"""Key usage of a certificate authority."""


def up() -> None:
    """Create the certificate, or replace it if it expires soon or does not match the platform's host name."""
    host = environment.load(git.SOURCE, "sandbox").fqdn
    now = datetime.now(UTC)
    if _serves(host, until=now + _RENEWAL):
        return
    certificate, key = issue(host, now, now + _LIFETIME)
    secrets = {"tls.crt": {"value": certificate}, "tls.key": {"value": key}}
    write_atomically(FILE, yaml.safe_dump({"applications": {"ingress-nginx": secrets}}))


def issue(host: str, begins: datetime, ends: datetime) -> tuple[str, str]:
    """Create a certificate for a host, signed by a new authority whose key is discarded.

    Returns:
        The certificate and the authority's certificate, and the private key; PEM.
    """
    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    authority = _name("Sandbox authority")
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    signed = [
        _builder(_name(host), authority, key, begins, ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(issuer, critical=False),
        _builder(authority, authority, authority_key, begins, ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(authority_key.public_key()), critical=False)
        .add_extension(_ONLY_CERTIFICATES, critical=True),
    ]
    pem = serialization.Encoding.PEM
    chain = b"".join(each.sign(authority_key, hashes.SHA256()).public_bytes(pem) for each in signed)
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return chain.decode(), private.decode()


def _serves(host: str, until: datetime) -> bool:
    """Return whether the existing certificate is valid for the host until the given time."""
    try:
        given = static_secrets.load(FILE).given()
    except PhalanxError:
        return False
    texts = [given.get(SecretKey("ingress-nginx", key)) for key in ("tls.crt", "tls.key")]
    certificate, key = (text.get_secret_value() if text else "" for text in texts)
    try:
        certificates.check(certificate, key, host, until)
    except PhalanxError:
        return False
    return True


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
