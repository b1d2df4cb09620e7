"""The TLS certificate that ingress-nginx serves: whether it will do, and when it ends.

Rules: applications/ingress-nginx/secrets.yaml of Phalanx (certificate, then those that lead to its root; valid for
every host name of the environment), ``tls.crt`` and ``tls.key`` as PEM for a Secret of type kubernetes.io/tls.
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

WARNING = timedelta(days=21)
"""How long before its end a certificate is warned of. cert-manager renews 30 days before: less means that it fails."""


class CertificateError(PhalanxError):
    """A certificate or its key cannot be served."""


@dataclass(frozen=True)
class Certificate:
    """A certificate with those that lead from it to its root."""

    chain: Sequence[x509.Certificate]
    """At least one; the first is the server's own."""

    @property
    def ends(self) -> datetime:
        """When the first of them ends, in UTC: from then on browsers refuse the chain."""
        return min(each.not_valid_after_utc for each in self.chain)

    @property
    def names(self) -> tuple[str, ...]:
        """Host names that it is for, wildcards included; browsers look at no other field."""
        try:
            extension = self.chain[0].extensions.get_extension_for_class(x509.SubjectAlternativeName)
        except x509.ExtensionNotFound:
            return ()
        return tuple(extension.value.get_values_for_type(x509.DNSName))

    @property
    def is_alone(self) -> bool:
        """Whether nothing leads from it to its root: browsers that have not met its issuer elsewhere refuse it."""
        own = self.chain[0]
        return len(self.chain) == 1 and own.issuer != own.subject

    def covers(self, host: str) -> bool:
        """Tell whether it is for a host; a wildcard stands for exactly one label (RFC 6125, 6.4.3)."""
        wanted = host.lower()
        _, _, parent = wanted.partition(".")
        return not {wanted, f"*.{parent}"}.isdisjoint(name.lower() for name in self.names)

    def is_same(self, other: "Certificate") -> bool:
        """Tell whether the server's own certificate is the same one."""
        return self.chain[0] == other.chain[0]


def rfc3339(moment: datetime) -> str:
    """Write a moment as ``2026-12-31T23:59:59Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(pem: str) -> Certificate:
    """Read certificates from PEM.

    Raises:
        CertificateError: It is not PEM, or holds no certificate.
    """
    _require_pem(pem, "tls.crt")
    try:
        return Certificate(x509.load_pem_x509_certificates(pem.encode()))
    except ValueError:
        raise CertificateError("tls.crt: holds no certificate that can be read") from None


def check(certificate_pem: str, key_pem: str, host: str, now: datetime) -> Certificate:
    """Check that a web server can serve a certificate for a host.

    Args:
        certificate_pem: The value of ``tls.crt``.
        key_pem: The value of ``tls.key``.
        host: Name of the platform.
        now: The time.

    Raises:
        CertificateError: It cannot; all that is wrong at once. No key is in the message.
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
            problems.extend(_misfits(certificate, key))
    if problems or not certificate:
        raise CertificateError(*problems)
    return certificate


def _require_pem(text: str, key: str) -> None:
    """Tell apart the ways in which PEM gets broken between a file and Vault."""
    if not text.strip():
        raise CertificateError(f"{key}: is missing")
    if "-----BEGIN " not in text:
        try:
            encoded = base64.b64decode(text, validate=True).startswith(b"-----BEGIN ")
        except (binascii.Error, ValueError):
            encoded = False
        if encoded:
            raise CertificateError(f"{key}: is encoded in base64, as for 1Password: give the PEM text itself")
        raise CertificateError(f"{key}: is not PEM: it must begin with -----BEGIN")
    if "\\n" in text or "\n" not in text.strip():
        raise CertificateError(f"{key}: has lost its line breaks: give it from its file, not by pasting it in one line")


def _public_key(pem: str) -> bytes:
    """The public half of a private key, in one form by which keys can be compared."""
    _require_pem(pem, "tls.key")
    if "PRIVATE KEY-----" not in pem:
        raise CertificateError("tls.key: holds no private key; is it the certificate?")
    try:
        key = serialization.load_pem_private_key(pem.encode(), password=None)
    except TypeError:
        raise CertificateError(
            "tls.key: is encrypted, and nginx has no passphrase: `openssl pkey` decrypts it"
        ) from None
    except ValueError:
        raise CertificateError("tls.key: holds no private key that can be read") from None
    return _form(key.public_key())


def _form(key: object) -> bytes:
    return key.public_bytes(  # type: ignore[attr-defined,no-any-return]  # every kind of public key has it
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def _misfits(certificate: Certificate, key: bytes) -> Iterator[str]:
    own, *others = [_form(each.public_key()) for each in certificate.chain]
    if key in others:
        yield "tls.crt: its certificates are in the wrong order: the one of tls.key comes first, then who signed it"
    elif key != own:
        yield f"tls.key: does not belong to the certificate in tls.crt ({_name(certificate.chain[0])})"


def _problems(certificate: Certificate, host: str, now: datetime) -> Iterator[str]:
    for lower, upper in pairwise(certificate.chain):
        if not _signed(lower, upper):
            yield (
                f"tls.crt: {_name(lower)} is followed by {_name(upper)}, which has not signed it: after each "
                "certificate comes the one of its issuer"
            )
    for each in certificate.chain:
        if each.not_valid_after_utc <= now:
            yield f"tls.crt: {_name(each)} ended on {rfc3339(each.not_valid_after_utc)}: renew it"
        elif each.not_valid_before_utc > now:
            yield f"tls.crt: {_name(each)} is not valid before {rfc3339(each.not_valid_before_utc)}"
    if not certificate.covers(host):
        names = ", ".join(certificate.names) or "no name at all (subjectAltName)"
        yield f"tls.crt: is for {names}, and not for {host}"


def _signed(certificate: x509.Certificate, by: x509.Certificate) -> bool:
    try:
        certificate.verify_directly_issued_by(by)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _name(certificate: x509.Certificate) -> str:
    return certificate.subject.rfc4514_string() or f"the certificate {certificate.serial_number:x}"
