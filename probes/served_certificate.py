"""The certificate that a server presents to this machine."""

import socket
import ssl

from cryptography import x509

from phalanx.certificates import Certificate, CertificateError

HTTPS = 443

TIMEOUT = 3.0
"""Timeout of a connection in seconds; short, as the host of a first deployment does not answer yet."""


def fetch(host: str, address: tuple[str, int] | None = None) -> Certificate:
    """Return the certificate of a host, without verifying it.

    Args:
        host: Host name (SNI).
        address: Address and port to connect to, by default port 443 of the host.

    Returns:
        The server's own certificate, without its issuers.

    Raises:
        CertificateError: The server does not answer, or does not use TLS.
    """
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return Certificate([x509.load_der_x509_certificate(_handshake(context, host, address))])


def distrust(host: str, address: tuple[str, int] | None = None) -> str | None:
    """Return why this machine's certificate authorities (SSL_CERT_FILE) do not trust a host; None if they do.

    Args:
        host: As for `fetch`.
        address: As for `fetch`.

    Raises:
        CertificateError: The server does not answer, or does not use TLS.
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
    except (OSError, ValueError) as error:  # the latter for a name that cannot exist
        reason = getattr(error, "strerror", None) or error
        raise CertificateError(f"{where[0]} does not answer with TLS on port {where[1]}: {reason}") from None
