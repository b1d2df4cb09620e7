"""Validation of the TLS certificate that a deployment is going to serve."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from phalanx import certificates
from phalanx.certificates import Certificate, CertificateError, rfc3339
from phalanx.environment import Environment
from phalanx.secrets import SecretKey
from probes import served_certificate
from probes.problem import Problem

CERTIFICATE = SecretKey("ingress-nginx", "tls.crt")
KEY = SecretKey("ingress-nginx", "tls.key")

_PROVIDE = (
    'set it with `pulumi config set --secret --path \'rsp:secrets.applications["ingress-nginx"]["tls.crt"]\''
    " < tls.crt` (and tls.key likewise), or write it to Vault"
)
_LACKS_ISSUER = (
    "tls.crt: contains only the server's own certificate: append that of its issuer, or some browsers will reject it"
)
_RENEW = {
    True: f"renew it and {_PROVIDE}",
    False: "cert-manager should have renewed it 30 days before expiry: for the reason run "
    "`kubectl -n argocd describe certificate`",
}
"""Fix for a certificate that expires soon, by whether it comes from Vault."""


def inspect(
    environment: Environment, static: Mapping[SecretKey, str], existing: Mapping[SecretKey, str] | None = None
) -> tuple[Certificate | None, list[Problem]]:
    """Inspect the certificate that a deployment is going to serve: from Vault, otherwise the one served at present.

    Args:
        environment: The Phalanx environment.
        static: Values of the static secrets; they include the certificate if the environment takes it from Vault.
        existing: Current values in Vault.

    Returns:
        The certificate, or None if the platform does not serve one yet or cannot be reached; and its problems.
    """
    now = datetime.now(UTC)
    if CERTIFICATE in static:
        where = f"Certificate in {environment.vault_path_prefix}/{CERTIFICATE.application}"
        try:
            found = certificates.check(static[CERTIFICATE], static.get(KEY, ""), environment.fqdn, now)
        except CertificateError as error:
            return None, [Problem(where=where, what=f"{problem}; {_PROVIDE}") for problem in error.problems]
        problems = [*check_expiry(found, where, now, from_vault=True)]
        problems += _check_replacement(found, (existing or {}).get(CERTIFICATE, ""), where)
        if found.lacks_issuer:
            problems.append(Problem(where=where, what=_LACKS_ISSUER, fatal=False))
        return found, problems
    try:
        served = served_certificate.fetch(environment.fqdn)
    except CertificateError:
        return None, []
    if not served.covers(environment.fqdn):
        return None, []
    return served, [*check_expiry(served, f"Certificate of {environment.fqdn}", now, from_vault=False)]


def _check_replacement(configured: Certificate, existing: str, where: str) -> Iterator[Problem]:
    """Yield a problem if a certificate in Vault is about to be replaced by an older one from the configuration."""
    try:
        held = certificates.parse(existing)
    except CertificateError:
        return
    if held.expires > configured.expires:
        yield Problem(
            where=where,
            what=f"expires on {rfc3339(held.expires)}, but the one in rsp:secrets, which would replace it, already on "
            f"{rfc3339(configured.expires)}: set the newer one, or remove the older one from the configuration",
            fatal=False,
        )


def check_expiry(certificate: Certificate, where: str, now: datetime, *, from_vault: bool) -> Iterator[Problem]:
    """Yield a problem if a certificate has expired or expires soon.

    Args:
        certificate: The certificate.
        where: Location that the problem names.
        now: Current time.
        from_vault: Whether the certificate comes from Vault; otherwise cert-manager obtains it.
    """
    left = certificate.expires - now
    if left <= certificates.EXPIRY_WARNING:
        expiry = f"expires on {rfc3339(certificate.expires)}, in {left.days} days" if left.days >= 0 else "has expired"
        yield Problem(where=where, what=f"{expiry}: {_RENEW[from_vault]}", fatal=False)
