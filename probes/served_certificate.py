"""The certificate that the platform serves, seen from where this runs."""

import socket
import ssl

from cryptography import x509

from phalanx.certificates import Certificate, CertificateError

HTTPS = 443

TIMEOUT = 3.0
"""Seconds that a connection may take; a first deployment asks a name that nobody answers for yet."""


def fetch(host: str, address: tuple[str, int] | None = None) -> Certificate:
    """Ask for the certificate of a host, and take whatever comes: it may have ended.

    Args:
        host: Name to ask for.
        address: Where to ask, by default port 443 of the host.

    Returns:
        The server's own certificate, without those that lead to its root.

    Raises:
        CertificateError: Nobody answers, or not with TLS.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return Certificate([x509.load_der_x509_certificate(_handshake(context, host, address))])


def distrust(host: str, address: tuple[str, int] | None = None) -> str | None:
    """Tell why a browser with this machine's authorities (SSL_CERT_FILE) would refuse a host; None if it would not.

    Raises:
        CertificateError: Nobody answers, or not with TLS.
    """
    try:
        _handshake(ssl.create_default_context(), host, address)
    except ssl.SSLCertVerificationError as error:
        return error.verify_message
    return None


def _handshake(context: ssl.SSLContext, host: str, address: tuple[str, int] | None) -> bytes:
    where = address or (host, HTTPS)
    try:
        with (
            socket.create_connection(where, TIMEOUT) as connection,
            context.wrap_socket(connection, server_hostname=host) as tls,
        ):
            return tls.getpeercert(binary_form=True) or b""
    except ssl.SSLCertVerificationError:
        raise
    except OSError as error:
        raise CertificateError(
            f"{where[0]} does not answer with TLS on port {where[1]}: {error.strerror or error}"
        ) from None
