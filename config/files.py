"""Types of files that the configuration names."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from pydantic import AfterValidator, BeforeValidator

from config.section import Matching

if TYPE_CHECKING:
    from cryptography import x509

_FILE = Matching(r"[^~].*", "the path of a file, absolute or from the project's directory, such as secrets.yaml", 4096)

_MAX_CA_FILE = 65536
"""Maximum size of a file of CAs in bytes: half the maximum of an environment variable (MAX_ARG_STRLEN in execve(2)), in
which the cluster gets it. One CA takes one or two KiB."""

FilePath = Annotated[Path, BeforeValidator(lambda given: _FILE.check(given) if isinstance(given, str) else given)]
"""Path of a file. It is not expanded by a shell."""


def ca_certificates(path: Path) -> str:
    """Return the certificates in a file as PEM, without comments.

    Expired certificates are included if there are valid ones, too. All clients ignore them, most clients read the file
    itself, and what the cluster gets must not change by itself on the day of an expiry.

    Raises:
        ValueError: The file has no certificates, has certificates that are not those of CAs, or all have expired.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    return "".join(each.public_bytes(Encoding.PEM).decode() for each in _authorities(path))


def ca_expiry(path: Path) -> datetime:
    """Return when the last of the certificates in a file expires; errors as for `ca_certificates`."""
    return max(each.not_valid_after_utc for each in _authorities(path))


def _authorities(path: Path) -> "list[x509.Certificate]":
    from cryptography import x509

    content = _read(path)
    if b"PRIVATE KEY-----" in content:
        # The clients and the cluster get all of the file.
        raise ValueError(f"{path} contains a private key: must contain the certificate of the CA only")
    try:
        found = x509.load_pem_x509_certificates(content)
    except ValueError:
        raise ValueError(f"{path} contains no certificate: must be the certificate of the CA as PEM") from None
    for each in found:
        if not _is_authority(each):
            name = each.subject.rfc4514_string()
            raise ValueError(
                f"{path} contains the certificate of a server ({name}): must be that of the CA which has signed it"
            )
    last = max(found, key=lambda each: each.not_valid_after_utc)
    if last.not_valid_after_utc <= datetime.now(UTC):
        name, day = last.subject.rfc4514_string(), f"{last.not_valid_after_utc:%Y-%m-%d}"
        raise ValueError(f"{path}: the CA {name} expired on {day}: add the CA of the server's current certificate")
    return found


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(_MAX_CA_FILE + 1)
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read ({error.strerror}): must be a file with the CA's certificate"
        ) from None
    if len(content) > _MAX_CA_FILE:
        raise ValueError(f"{path} has more than {_MAX_CA_FILE} bytes: must contain the site's own CA only")
    return content


def _is_authority(certificate: "x509.Certificate") -> bool:
    """Return whether a certificate can have signed others, or itself."""
    from cryptography import x509

    if certificate.issuer == certificate.subject:
        return True
    try:
        return bool(certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except x509.ExtensionNotFound:
        return False


def _check_ca_file(path: Path) -> Path:
    ca_certificates(path)
    return path


CaFile = Annotated[FilePath, AfterValidator(_check_ca_file)]
"""File with the certificate of a private CA as PEM, or of several."""
