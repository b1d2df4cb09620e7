"""The platform as users see it: the DNS record, HTTPS, and the certificate."""

import http.client
import socket
import ssl
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from typing import Final

from phalanx.certificates import CertificateError
from probes import served_certificate
from probes.health import load_balancer
from probes.health.finding import Finding, critical, ok, unknown, warning
from probes.health.kubernetes import judge_expiry

DNS: Final = "DNS record"
HTTPS: Final = "HTTPS"
CERTIFICATE: Final = "certificate of the platform"

TIMEOUT: Final = 10.0
"""Timeout of a request in seconds."""

_RUNBOOK: Final = "docs/runbooks/certificate.md"
_SERVER_ERROR: Final = 500


def dns(host: str, address: str | None) -> Iterator[Finding]:
    """Check that the host name of the platform resolves to its address.

    Args:
        host: Host name of the platform.
        address: Floating IP of the platform; None if it does not exist.
    """
    try:
        found = {str(each[4][0]) for each in socket.getaddrinfo(host, None, socket.AF_INET)}
    except socket.gaierror:
        found = set()
    yield judge_dns(host, found, address)


def judge_dns(host: str, found: Collection[str], address: str | None) -> Finding:
    """Return the finding about the DNS record.

    Args:
        host: Host name of the platform.
        found: Addresses that it resolves to.
        address: Floating IP of the platform; None if it does not exist.
    """
    shown = ", ".join(sorted(found))
    if address is None:
        return unknown(DNS, f"{host} resolves to {shown or 'no address'}", because_of=(load_balancer.INGRESS,))
    remedy = f"set the A record of {host} to {address}, the output ingressAddress; `getent hosts {host}` must show it"
    if not found:
        return critical(DNS, f"{host} has no address in the DNS", remedy)
    if address not in found:
        return critical(DNS, f"{host} resolves to {shown}, expected {address}", remedy)
    if len(found) > 1:
        return warning(DNS, f"{host} resolves to {shown}: some clients do not use {address}", remedy)
    return ok(DNS, f"{host} resolves to {address}")


def https(host: str, address: tuple[str, int] | None = None) -> Iterator[Finding]:
    """Check that the platform answers, and its certificate.

    Args:
        host: Host name of the platform.
        address: Address and port to connect to, by default port 443 of the host.
    """
    causes = (DNS, load_balancer.INGRESS, load_balancer.NODE_PORTS, "application ingress-nginx")
    guide = "docs/howto/on-call.md#the-platform-does-not-answer"
    try:
        served = served_certificate.fetch(host, address)
    except CertificateError as error:
        yield critical(HTTPS, str(error), guide, causes)
        return
    if not served.covers(host):
        names = ", ".join(served.names) or "no host name"
        yield critical(CERTIFICATE, f"{host} serves a certificate for {names}", _RUNBOOK, causes)
    else:
        yield judge_expiry(CERTIFICATE, served.expires, datetime.now(UTC), _RUNBOOK)
        if reason := served_certificate.distrust(host, address):
            yield warning(
                "trust in the certificate",
                f"not trusted on this machine: {reason}",
                f"set SSL_CERT_FILE if the site has its own authority; otherwise {_RUNBOOK}",
                (CERTIFICATE,),
            )
    try:
        status = _status(host, address or (host, served_certificate.HTTPS))
    except (OSError, http.client.HTTPException) as error:
        yield critical(HTTPS, f"https://{host}/ does not answer: {error or type(error).__name__}", guide, causes)
        return
    if status >= _SERVER_ERROR:
        text = f"https://{host}/ responds with status {status}"
        yield critical(HTTPS, text, guide, (*causes, "application squareone"))
    else:
        yield ok(HTTPS, f"https://{host}/ responds with status {status}")


def _status(host: str, address: tuple[str, int]) -> int:
    """Return the status of a request to a host; the certificate is checked separately."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection(host, timeout=TIMEOUT, context=context)
    with socket.create_connection(address, TIMEOUT) as plain, context.wrap_socket(plain, server_hostname=host) as tls:
        connection.sock = tls
        connection.request("GET", "/", headers={"Host": host, "User-Agent": "rsp-doctor"})
        return connection.getresponse().status
