"""Validation of the TLS certificate that ingress-nginx serves.

Rules: applications/ingress-nginx/secrets.yaml of Phalanx (the server's certificate, then its issuers; valid for every
host name of the environment), with ``tls.crt`` and ``tls.key`` in PEM as in a Secret of type kubernetes.io/tls.

`cryptography.x509.verification` is not used: it needs a trusted root, which a site may not have here, and reports only
that a chain is invalid, not which certificate is wrong or in the wrong place.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization

from phalanx.errors import PhalanxError

EXPIRY_WARNING = timedelta(days=21)
"""Remaining validity below which a warning is issued. cert-manager renews 30 days before expiry, so that a shorter
time means that renewal fails."""


class CertificateError(PhalanxError):
    """A certificate or its private key cannot be used by a web server."""


@dataclass(frozen=True)
class Certificate:
    """A server certificate with its chain of issuers."""

    chain: Sequence[x509.Certificate]
    """At least one certificate; the first is the server's own."""

    @property
    def expires(self) -> datetime:
        """Earliest expiry in the chain, in UTC; browsers reject the chain after it."""
        return min(each.not_valid_after_utc for each in self.chain)

    @property
    def names(self) -> tuple[str, ...]:
        """Host names in subjectAltName, the only field that browsers check; may contain wildcards."""
        try:
            extension = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ()
        return tuple(extension.value.get_values_for_type(x509.DNSName))

    @property
    def lacks_issuer(self) -> bool:
        """True if the issuer's certificate is missing: browsers that have not cached it reject the certificate."""
        own = self.chain[0]
        return len(self.chain) == 1 and own.issuer != own.subject

    def covers(self, host: str) -> bool:
        """Return whether it is valid for a host; a wildcard matches exactly one label (RFC 6125, 6.4.3)."""
        name = host.lower()
        _, _, parent = name.partition(".")
        return not {name, f"*.{parent}"}.isdisjoint(each.lower() for each in self.names)

    def is_same(self, other: "Certificate") -> bool:
        """Return whether both have the same server certificate."""
        return self.chain[0] == other.chain[0]


def rfc3339(moment: datetime) -> str:
    """Format a time in UTC as ``2026-12-31T23:59:59Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(pem: str) -> Certificate:
    """Parse a certificate chain in PEM.

    Raises:
        CertificateError: The text is not PEM, or contains no valid certificate.
    """
    _require_pem(pem, "tls.crt")
    try:
        return Certificate(x509.load_pem_x509_certificates(pem.encode()))
    except ValueError:
        raise CertificateError("tls.crt: contains no valid certificate") from None


def check(certificate_pem: str, key_pem: str, host: str, now: datetime) -> Certificate:
    """Check that a web server can serve a certificate for a host.

    Args:
        certificate_pem: Value of ``tls.crt``.
        key_pem: Value of ``tls.key``.
        host: Host name of the platform.
        now: Current time.

    Raises:
        CertificateError: The certificate or key is not usable. Contains all problems, and never the key.
    """
    problems: list[str] = []
    certificate = key = None
    try:
        certificate = parse(certificate_pem)
    except CertificateError as error:
        problems.extend(error.problems)
    try:
        key = _public_key(key_pem)
    except CertificateError as error:
        problems.extend(error.problems)
    if certificate:
        problems.extend(_problems(certificate, host, now))
        if key:
            problems.extend(_key_problems(certificate, key))
    if problems or not certificate:
        raise CertificateError(*problems)
    return certificate


def _require_pem(text: str, key: str) -> None:
    """Detect the common ways in which PEM is damaged between a file and Vault.

    Raises:
        CertificateError: The text is not PEM.
    """
    if not text.strip():
        raise CertificateError(f"{key}: is missing")
    if "-----BEGIN " not in text:
        try:
            encoded = base64.b64decode(text, validate=True).startswith(b"-----BEGIN ")
        except (binascii.Error, ValueError):
            encoded = False
        if encoded:
            raise CertificateError(f"{key}: is encoded in base64, as for 1Password: provide the PEM text itself")
        raise CertificateError(f"{key}: is not PEM: expected text with -----BEGIN")
    if "\\n" in text or "\n" not in text.strip():
        raise CertificateError(f"{key}: has lost its line breaks: read it from the file instead of pasting it")


def _public_key(pem: str) -> bytes:
    """Return the public key of a private key in DER."""
    _require_pem(pem, "tls.key")
    if "PRIVATE KEY-----" not in pem:
        raise CertificateError("tls.key: contains no private key; is it the certificate?")
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise CertificateError(
            "tls.key: is encrypted, and nginx has no passphrase: decrypt it with `openssl pkey`"
        ) from None
    except ValueError:
        raise CertificateError("tls.key: contains no valid private key") from None
    return _der(key.public_key())


def _der(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]  # every type of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _key_problems(certificate: Certificate, key: bytes) -> Iterator[str]:
    own, *others = [_der(each.public_key()) for each in certificate.chain]
    if key in others:
        yield "tls.crt: certificates are in the wrong order: the server's own must be first, then its issuers"
    elif key != own:
        yield f"tls.key: does not match the certificate in tls.crt ({_name(certificate.chain[0])})"


def _problems(certificate: Certificate, host: str, now: datetime) -> Iterator[str]:
    for lower, upper in pairwise(certificate.chain):
        if not _signed(lower, upper):
            yield (
                f"tls.crt: {_name(lower)} is followed by {_name(upper)}, which has not signed it: each certificate "
                "must be followed by that of its issuer"
            )
    for each in certificate.chain:
        if each.not_valid_after_utc <= now:
            yield f"tls.crt: {_name(each)} expired on {rfc3339(each.not_valid_after_utc)}: renew it"
        elif each.not_valid_before_utc > now:
            yield f"tls.crt: {_name(each)} is not valid before {rfc3339(each.not_valid_before_utc)}"
    if not certificate.covers(host):
        names = ", ".join(certificate.names) or "no host name (subjectAltName is empty)"
        yield f"tls.crt: is valid for {names}, expected {host}"


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or f"the certificate {certificate.serial_number:x}"
