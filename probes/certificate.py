"""Check the TLS certificate that a deployment leads to."""

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

_GIVE = (
    'give it by `pulumi config set --secret --path \'rsp:secrets.applications["ingress-nginx"]["tls.crt"]\''
    " < tls.crt` (tls.key likewise), or write it to Vault"
)
_ALONE = (
    "tls.crt: holds the server's own certificate alone: add that of its issuer after it, or some browsers refuse it"
)
_RENEW = {
    True: f"renew it and {_GIVE}",
    False: "cert-manager should have renewed it 30 days before: `kubectl -n argocd describe certificate` says why not",
}
"""What to do about a certificate that ends soon, by whether it comes from Vault."""


def look(
    environment: Environment, given: Mapping[SecretKey, str], existing: Mapping[SecretKey, str] | None = None
) -> tuple[Certificate | None, list[Problem]]:
    """Look at the certificate that a deployment leads to: the one that is given, else the one that is served now.

    Args:
        environment: The Phalanx environment.
        given: The static secrets; the certificate is among them if the environment takes it from Vault.
        existing: What Vault holds now.

    Returns:
        The certificate, None if none is served for the platform yet or from here it cannot be seen; and what is wrong.
    """
    now = datetime.now(UTC)
    if CERTIFICATE in given:
        where = f"Certificate in {environment.vault_path_prefix}/{CERTIFICATE.application}"
        try:
            found = certificates.check(given[CERTIFICATE], given.get(KEY, ""), environment.fqdn, now)
        except CertificateError as error:
            return None, [Problem(where=where, what=f"{problem}; {_GIVE}") for problem in error.problems]
        problems = [*ends_soon(found, where, now, from_vault=True)]
        problems += _replaced(found, (existing or {}).get(CERTIFICATE, ""), where)
        if found.lacks_issuer:
            problems.append(Problem(where=where, what=_ALONE, fatal=False))
        return found, problems
    try:
        served = served_certificate.fetch(environment.fqdn)
    except CertificateError:
        return None, []
    if not served.covers(environment.fqdn):
        return None, []
    return served, [*ends_soon(served, f"Certificate of {environment.fqdn}", now, from_vault=False)]


def _replaced(given: Certificate, existing: str, where: str) -> Iterator[Problem]:
    """Tell of a renewed certificate that somebody wrote to Vault and that an older one is about to replace."""
    try:
        held = certificates.parse(existing)
    except CertificateError:
        return
    if held.expires > given.expires:
        yield Problem(
            where=where,
            what=f"ends on {rfc3339(held.expires)}, but the one in rsp:secrets, which would replace it, on "
            f"{rfc3339(given.expires)}: give the newer one, or take the older one out of the configuration",
            fatal=False,
        )


def ends_soon(certificate: Certificate, where: str, now: datetime, *, from_vault: bool) -> Iterator[Problem]:
    """Yield a problem if a certificate has expired or expires soon.

    Args:
        certificate: The certificate.
        where: What the problem names as its place.
        now: The present time.
        from_vault: Whether the certificate comes from Vault; else cert-manager obtains it.
    """
    left = certificate.expires - now
    if left <= certificates.EXPIRY_WARNING:
        when = f"ends on {rfc3339(certificate.expires)}, in {left.days} days" if left.days >= 0 else "has ended"
        yield Problem(where=where, what=f"{when}: {_RENEW[from_vault]}", fatal=False)
