"""A certificate authority for one server, in the stack's encrypted state."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pulumi
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pulumi import ResourceOptions

LIFETIME = timedelta(days=3650)
"""Validity of the CA and of the server's certificate, the same as of the CAs that kubeadm creates, as an overlooked
expiry would stop all platforms. The certificate can be replaced at any time."""

_SKEW = timedelta(hours=1)
"""Time by which a client's clock may be slow."""

_PEM = serialization.Encoding.PEM


class PrivateAuthority:
    """A CA, and the certificate of a server that it has signed.

    Args:
        name: Prefix of the resources' names.
        host: DNS name of the server, and the only one for which clients accept certificates of the CA.
        rotation: Any text. A change of it, or of the host, creates another certificate of the server.
        opts: Options of each Stash.
    """

    certificate: pulumi.Output[str]
    """Certificate of the CA, as PEM."""
    server_certificate: pulumi.Output[str]
    """Certificate of the server, followed by that of the CA, as PEM."""
    server_key: pulumi.Output[str]
    """Private key of the server, as PEM (secret)."""

    def __init__(self, name: str, host: str, rotation: str, opts: ResourceOptions) -> None:
        # Each run provides another one, and only the first is stored.
        authority = pulumi.Stash(
            f"{name}-authority",
            input=pulumi.Output.secret(create(host)),
            opts=ResourceOptions.merge(opts, ResourceOptions(ignore_changes=["input"], replacement_trigger=[host])),
        )
        issued: pulumi.Output[Any] = authority.output.apply(lambda known: issue(known, host))
        signed = pulumi.Stash(
            f"{name}-certificate",
            input=pulumi.Output.secret(issued),
            opts=ResourceOptions.merge(
                opts, ResourceOptions(ignore_changes=["input"], replacement_trigger=[host, rotation])
            ),
        )
        self.certificate = pulumi.Output.unsecret(authority.output["certificate"])
        self.server_certificate = signed.output["certificate"]
        self.server_key = pulumi.Output.secret(signed.output["key"])


def create(host: str, begins: datetime | None = None, ends: datetime | None = None) -> dict[str, str]:
    """Return a new CA for the certificates of a host: `certificate` and `key`, as PEM.

    Args:
        host: DNS name.
        begins: Start of the validity period; by default shortly before now, for clients whose clock is slow.
        ends: End of the validity period; by default after `LIFETIME`.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"CA of {host}"[:64])])
    certificate = (
        _builder(name, name, key, begins, ends or datetime.now(UTC) + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .add_extension(x509.NameConstraints([x509.DNSName(host.removeprefix("*."))], None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return {"certificate": certificate.public_bytes(_PEM).decode(), "key": _private(key)}


def issue(authority: Any, host: str, begins: datetime | None = None) -> dict[str, str]:
    """Return a new certificate for a host, followed by that of its CA, and its key, as PEM: `certificate` and `key`.

    Args:
        authority: The CA, as `create` returns it.
        host: DNS name.
        begins: Start of the validity period, as for `create`. It ends with that of the CA.
    """
    key, issuer = ec.generate_private_key(ec.SECP256R1()), x509.load_pem_x509_certificate(_encoded(authority))
    signing = serialization.load_pem_private_key(authority["key"].encode(), password=None)
    if not isinstance(signing, ec.EllipticCurvePrivateKey):
        raise TypeError("the key of the CA is of another kind")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64])])
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    certificate = (
        # No client accepts it for longer than its CA.
        _builder(name, issuer.subject, key, begins, issuer.not_valid_after_utc)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(identifier, critical=False)
        .sign(signing, hashes.SHA256())
    )
    chain = certificate.public_bytes(_PEM) + _encoded(authority)
    return {"certificate": chain.decode(), "key": _private(key)}


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, begins: datetime | None, ends: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins or datetime.now(UTC) - _SKEW)
        .not_valid_after(ends)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _usage(**allowed: bool) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
        *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{name: allowed.get(name, False) for name in names})


def _encoded(authority: Any) -> bytes:
    return str(authority["certificate"]).encode()


def _private(key: ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(_PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
