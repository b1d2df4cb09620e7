"""Whether the platform's TLS certificate is in order, and when it ends."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from config.application_values import application_values
from operations import served_certificate, vault_secrets
from operations.problem import Problem
from operations.stack import load
from phalanx import application, certificates
from phalanx.certificates import Certificate, CertificateError, rfc3339
from phalanx.environment import Environment
from phalanx.errors import SecretsError
from phalanx.secrets import SecretKey

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
        problems = [*_ends_soon(found, where, now, from_vault=True)]
        problems += _replaced(found, (existing or {}).get(CERTIFICATE, ""), where)
        if found.is_alone:
            problems.append(Problem(where=where, what=_ALONE, fatal=False))
        return found, problems
    try:
        served = served_certificate.fetch(environment.fqdn)
    except CertificateError:
        return None, []
    if not served.covers(environment.fqdn):
        return None, []
    return served, [*_ends_soon(served, f"Certificate of {environment.fqdn}", now, from_vault=False)]


@dataclass(frozen=True, kw_only=True)
class Report:
    """What there is to say of a platform's certificate."""

    host: str
    from_vault: bool
    """Whether the platform is to serve what Vault holds; else cert-manager obtains the certificate."""
    served: Certificate | None
    """The one that is served, None if nobody answers."""
    held: Certificate | None
    """The one that Vault holds, None if it is not to be served or will not do."""
    problems: list[Problem]

    def as_data(self) -> dict[str, Any]:
        """The report for a machine."""

        def told(certificate: Certificate | None) -> dict[str, Any] | None:
            if certificate is None:
                return None
            return {"expires": rfc3339(certificate.ends), "names": list(certificate.names)}

        return {
            "host": self.host,
            "source": "vault" if self.from_vault else "cert-manager",
            "served": told(self.served),
            "vault": told(self.held),
            "problems": [vars(problem) for problem in self.problems],
        }


def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    connect: Annotated[
        str | None, typer.Option(help="Host[:port] to ask in place of the platform's name, such as its ingress address")
    ] = None,
    served_only: Annotated[
        bool, typer.Option("--served-only", help="Do not compare with Vault, and so need no token")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON")] = False,
) -> None:
    """Tell when the platform's certificate ends; exit with 1 if that is within 21 days or anything is wrong with it."""
    report = inspect(stack, _address(connect), with_vault=not served_only)
    if as_json:
        typer.echo(json.dumps(report.as_data(), indent=2))
    else:
        for name, found in (("served", report.served), ("in Vault", report.held)):
            if found:
                typer.echo(f"{report.host}, {name}: ends {rfc3339(found.ends)}, for {', '.join(found.names)}")
        for problem in report.problems:
            typer.echo(str(problem), err=True)
    if report.problems:
        raise typer.Exit(1)


def inspect(stack: str, address: tuple[str, int] | None = None, *, with_vault: bool = True) -> Report:
    """Look at what a platform serves and, where it comes from Vault, at what Vault holds.

    Args:
        stack: Name of the stack.
        address: Where to ask, by default port 443 of the platform's name.
        with_vault: Whether to look into Vault if the certificate comes from there.

    Raises:
        ConfigError: The stack's file is missing or wrong.
        PhalanxError: The Phalanx repository is not as it should be.
    """
    described = load(stack)
    environment, vault = described.environment, described.vault
    configured = application_values(described.configuration).get("ingress-nginx")
    nginx = application.load(described.checkout.path, environment.name, "ingress-nginx", configured)
    from_vault = nginx.holds("vaultCertificate.enabled")
    held: Certificate | None = None
    problems: list[Problem] = []
    if from_vault and with_vault:
        try:
            held, problems = look(environment, {CERTIFICATE: "", **vault_secrets.read(vault, environment)})
        except SecretsError as error:
            problems = [Problem(where=f"Vault at {vault}", what=str(error))]
    served = None
    try:
        served = served_certificate.fetch(environment.fqdn, address)
        problems.extend(_served_wrongly(served, held, environment.fqdn, address, from_vault=from_vault))
    except CertificateError as error:
        problems.append(Problem(where=f"https://{environment.fqdn}", what=str(error)))
    return Report(host=environment.fqdn, from_vault=from_vault, served=served, held=held, problems=problems)


def _served_wrongly(
    served: Certificate, held: Certificate | None, host: str, address: tuple[str, int] | None, *, from_vault: bool
) -> Iterator[Problem]:
    where = f"https://{host}"
    if not served.covers(host):
        names = ", ".join(served.names) or "no name"
        yield Problem(where=where, what=f"serves a certificate for {names}: ingress-nginx has not got its own yet")
    elif held and not served.is_same(held):
        yield Problem(
            where=where,
            what=f"serves another certificate, until {rfc3339(served.ends)}, than Vault holds: "
            "`kubectl -n ingress-nginx describe vaultsecret ingress-certificate` says why",
        )
    elif reason := served_certificate.distrust(host, address):
        yield Problem(
            where=where,
            what=f"is not trusted here ({reason}): add the certificates of its issuers, or name the site's own "
            "authority in SSL_CERT_FILE",
        )
    if not held:
        yield from _ends_soon(served, where, datetime.now(UTC), from_vault=from_vault)


def _replaced(given: Certificate, existing: str, where: str) -> Iterator[Problem]:
    """Tell of a renewed certificate that somebody wrote to Vault and that an older one is about to replace."""
    try:
        held = certificates.parse(existing)
    except CertificateError:
        return
    if held.ends > given.ends:
        yield Problem(
            where=where,
            what=f"ends on {rfc3339(held.ends)}, but the one in rsp:secrets, which would replace it, on "
            f"{rfc3339(given.ends)}: give the newer one, or take the older one out of the configuration",
            fatal=False,
        )


def _ends_soon(certificate: Certificate, where: str, now: datetime, *, from_vault: bool) -> Iterator[Problem]:
    left = certificate.ends - now
    if left <= certificates.WARNING:
        when = f"ends on {rfc3339(certificate.ends)}, in {left.days} days" if left.days >= 0 else "has ended"
        yield Problem(where=where, what=f"{when}: {_RENEW[from_vault]}", fatal=False)


def _address(text: str | None) -> tuple[str, int] | None:
    """Read ``host``, ``host:port`` or None."""
    if text is None:
        return None
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    if port and not port.isdecimal():
        raise typer.BadParameter(f"{text} is not host:port", param_hint="--connect")
    return host, int(port or served_certificate.HTTPS)
