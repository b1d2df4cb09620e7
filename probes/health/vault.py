"""Health of Vault, and of the secrets that the cluster copies from it."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from phalanx.errors import PhalanxError
from probes import served_certificate, vault_client
from probes.health.finding import Finding, State, critical, ok
from probes.health.kubernetes import judge_expiry
from probes.kubernetes_api import KubernetesApi, Object
from probes.namespace_causes import one_line

VAULT: Final = "Vault"
CERTIFICATE: Final = "certificate of Vault"
SECRETS: Final = "secrets"
COPIES: Final = "VaultSecrets"

_GUIDE: Final = "docs/howto/on-call.md#vault"


def vault(address: str, ca_file: Path | None = None) -> Iterator[Finding]:
    """Check that Vault answers and is unsealed; no token is required.

    Args:
        address: URL of Vault.
        ca_file: As for `vault_client.authorities`.

    Raises:
        PhalanxError: Vault does not answer, or responds with an error.
    """
    from hvac.exceptions import VaultError
    from requests.exceptions import RequestException

    try:
        yield judge_seal(address, vault_client.seal_status(address, ca_file))
    except (RequestException, VaultError) as error:
        raise PhalanxError(f"{address} {vault_client.explain(error)}") from None


def certificate(address: str) -> Iterator[Finding]:
    """Check when Vault's certificate expires, after which no platform can use Vault.

    Args:
        address: URL of Vault.

    Raises:
        CertificateError: Vault does not answer, or does not use TLS.
    """
    url = urlsplit(address)
    if url.scheme == "https" and url.hostname:
        served = served_certificate.fetch(url.hostname, (url.hostname, url.port or served_certificate.HTTPS))
        yield judge_expiry(CERTIFICATE, served.expires, datetime.now(UTC), _GUIDE)


def judge_seal(address: str, seal: Mapping[str, Any]) -> Finding:
    """Return the finding about Vault's seal.

    Args:
        address: URL of Vault.
        seal: Response of ``sys/seal-status``.
    """
    if not seal["initialized"]:
        return critical(VAULT, f"{address} is not initialized", _GUIDE)
    if seal["sealed"]:
        keys = f"; {seal['progress']} of {seal['t']} unseal keys given" if seal.get("t") else ""
        remedy = f"`VAULT_ADDR={address} vault operator unseal` (or `bao`) until it is unsealed; {_GUIDE}"
        return critical(VAULT, f"{address} is sealed{keys}", remedy)
    version = seal.get("version", "unknown release")
    return ok(VAULT, f"{address} is unsealed, {version}", version)


def copies(client: KubernetesApi) -> Iterator[Finding]:
    """Check that vault-secrets-operator has copied each VaultSecret.

    Raises:
        KubernetesError: The API cannot be reached, or refuses the request.
    """
    yield judge_copies(client.items("/apis/ricoberger.de/v1alpha1/vaultsecrets"))


def judge_copies(found: list[Object]) -> Finding:
    """Return the finding about VaultSecrets.

    A Secret that was copied before is kept, so that only a restarted pod of an application would miss a change.

    Args:
        found: The VaultSecret objects.
    """
    failed = [
        f"{each['metadata']['namespace']}/{each['metadata']['name']}: "
        f"{one_line(condition.get('reason'), condition.get('message'))}"
        for each in found
        for condition in (each.get("status") or {}).get("conditions") or []
        if condition["status"] == "False"
    ]
    if not failed:
        return ok(COPIES, f"{len(found)} copied")
    return Finding(
        subject=COPIES,
        state=State.WARNING,
        message="\n".join([f"{len(failed)} of {len(found)} are not up to date", *failed[:5]]),
        remedy="`kubectl -n vault-secrets-operator logs deployment/vault-secrets-operator`; docs/vault.md",
        because_of=(VAULT, SECRETS),
    )
