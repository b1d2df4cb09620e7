"""Command ``certificate``: check the platform's TLS certificate."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from operations.stack import StackName, load
from phalanx import application
from phalanx.certificates import Certificate, CertificateError, rfc3339
from phalanx.errors import SecretsError
from probes import certificate_preflight, served_certificate, vault_secrets
from probes.problem import Problem
from wiring.application_values import application_values


@dataclass(frozen=True, kw_only=True)
class CertificateReport:
    """State of a platform's certificate."""

    host: str
    from_vault: bool
    """True if the certificate comes from Vault; otherwise cert-manager obtains it."""
    served: Certificate | None
    """The served certificate; None if the platform does not answer."""
    held: Certificate | None
    """The certificate in Vault; None if it is not used or not valid."""
    problems: list[Problem]

    def as_data(self) -> dict[str, Any]:
        """Return the report as JSON values."""

        def as_data(found: Certificate | None) -> dict[str, Any] | None:
            return {"expires": rfc3339(found.expires), "names": list(found.names)} if found else None

        return {
            "host": self.host,
            "source": "vault" if self.from_vault else "cert-manager",
            "served": as_data(self.served),
            "vault": as_data(self.held),
            "problems": [vars(problem) for problem in self.problems],
        }


def main(
    stack: StackName,
    connect: Annotated[
        str | None, typer.Option(help="host[:port] to connect to instead of the platform's name, such as its address")
    ] = None,
    served_only: Annotated[
        bool, typer.Option("--served-only", help="Do not compare with Vault; no token is required")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON")] = False,
) -> None:
    """Check the platform's certificate; exit with 1 if it expires within 21 days or has another problem."""
    report = inspect(stack, parse_address(connect), with_vault=not served_only)
    if as_json:
        typer.echo(json.dumps(report.as_data(), indent=2))
    else:
        for name, found in (("served", report.served), ("in Vault", report.held)):
            if found:
                typer.echo(f"{report.host}, {name}: expires {rfc3339(found.expires)}, for {', '.join(found.names)}")
        for problem in report.problems:
            typer.echo(str(problem), err=True)
    if report.problems:
        raise typer.Exit(1)


def inspect(stack: str, address: tuple[str, int] | None = None, *, with_vault: bool = True) -> CertificateReport:
    """Inspect the certificate that a platform serves and, if it comes from Vault, the one in Vault.

    Args:
        stack: Name of the stack.
        address: Host and port to connect to, by default port 443 of the platform's name.
        with_vault: Whether to compare with Vault if the certificate comes from there.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PhalanxError: The Phalanx repository cannot be read or is not valid.
    """
    described = load(stack)
    environment, vault = described.environment, described.vault
    configured = application_values(described.config).get("ingress-nginx")
    nginx = application.load(described.checkout.path, environment.name, "ingress-nginx", configured)
    from_vault = nginx.holds("vaultCertificate.enabled")
    held: Certificate | None = None
    problems: list[Problem] = []
    if from_vault and with_vault:
        try:
            secrets = vault_secrets.read(vault, environment, described.config.vault)
            held, problems = certificate_preflight.inspect(
                environment, {certificate_preflight.CERTIFICATE: "", **secrets}
            )
        except SecretsError as error:
            problems = [Problem(where=f"Vault at {vault}", what=str(error))]
    served = None
    try:
        served = served_certificate.fetch(environment.fqdn, address)
        problems.extend(_problems_of_served(served, held, environment.fqdn, address, from_vault=from_vault))
    except CertificateError as error:
        problems.append(Problem(where=f"https://{environment.fqdn}", what=str(error)))
    return CertificateReport(host=environment.fqdn, from_vault=from_vault, served=served, held=held, problems=problems)


def _problems_of_served(
    served: Certificate, held: Certificate | None, host: str, address: tuple[str, int] | None, *, from_vault: bool
) -> Iterator[Problem]:
    where = f"https://{host}"
    if not served.covers(host):
        names = ", ".join(served.names) or "no host name"
        yield Problem(
            where=where,
            what=f"serves a certificate for {names}: ingress-nginx does not have the platform's certificate yet",
        )
    elif held and not served.is_same(held):
        yield Problem(
            where=where,
            what=f"serves another certificate (expires {rfc3339(served.expires)}) than the one in Vault: for the "
            "reason run `kubectl -n ingress-nginx describe vaultsecret ingress-certificate`",
        )
    elif reason := served_certificate.distrust(host, address):
        yield Problem(
            where=where,
            what=f"certificate is not trusted on this machine ({reason}): add the certificates of its issuers, or set "
            "SSL_CERT_FILE to the certificate of the site's own authority",
        )
    if not held:
        yield from certificate_preflight.check_expiry(served, where, datetime.now(UTC), from_vault=from_vault)


def parse_address(text: str | None) -> tuple[str, int] | None:
    """Parse ``host`` or ``host:port``.

    Raises:
        typer.BadParameter: The port is not a number.
    """
    if text is None:
        return None
    host, _, port = text.rpartition(":") if ":" in text else (text, "", "")
    if port and not port.isdecimal():
        raise typer.BadParameter(f"{text}: expected host or host:port", param_hint="--connect")
    return host, int(port or served_certificate.HTTPS)
