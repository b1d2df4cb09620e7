"""The TLS certificate of the sandbox's platform, in a file of static secrets as at a real site.

`up` creates it, and renews it long before the program would warn of its expiry.
"""

from datetime import UTC, datetime, timedelta
from typing import Final

import yaml

from components import private_authority
from phalanx import certificates, environment, static_secrets
from phalanx.errors import PhalanxError
from phalanx.secrets import SecretKey
from sandbox import git, paths
from sandbox.files import write_atomically

FILE: Final = paths.HOME / "static-secrets.yaml"
"""The file that `rsp:secrets.file` in Pulumi.sandbox.yaml refers to; mode 0600."""

_LIFETIME: Final = timedelta(days=90)
_RENEWAL: Final = timedelta(days=30)  # before expiry


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
    authority = private_authority.create(host, begins, ends)
    signed = private_authority.issue(authority, host, begins)
    return signed["certificate"], signed["key"]


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
