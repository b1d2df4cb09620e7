"""How vault-secrets-operator trusts a Vault whose certificate a private CA has signed.

The keys are those of values.yaml of the chart in https://github.com/ricoberger/vault-secrets-operator; the variables
those of Vault's client (``ReadEnvironment`` in api/client.go of https://github.com/hashicorp/vault).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from phalanx.application import Application
from phalanx.values import get

OPERATOR = "vault-secrets-operator"
"""Name of the application."""

_VARIABLES = (OPERATOR, "environmentVars")
_CERTIFICATES = "VAULT_CACERT_BYTES"
"""Variable with certificates as PEM. It needs no volume, and a change of it restarts the operator."""
_OTHERS = frozenset({"VAULT_CACERT", "VAULT_SKIP_VERIFY"})
"""Variables with which the client ignores that one."""


def helm_values(certificates: str, operator: Mapping[str, Any]) -> dict[str, Any]:
    """Return the Helm values with which the operator trusts a CA, and no other.

    Args:
        certificates: Certificates of the CA as PEM; empty for public CAs.
        operator: Merged Helm values of the operator, whose other variables are kept: Helm does not merge lists.

    Returns:
        Helm values that override those of the operator; empty without certificates.
    """
    if not certificates:
        return {}
    kept = [each for each in variables(operator) if each.get("name") != _CERTIFICATES]
    return {OPERATOR: {"environmentVars": [*kept, {"name": _CERTIFICATES, "value": certificates}]}}


def variables(operator: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the environment variables of the operator.

    Args:
        operator: Merged Helm values of the operator.
    """
    found = get(operator, _VARIABLES)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def problems(operator: Application) -> Iterator[str]:
    """Yield a problem for each variable of the operator with which it would ignore the configured CA."""
    for name in sorted(_OTHERS.intersection(str(each.get("name")) for each in variables(operator.values))):
        yield (
            f"{operator.file_of(*_VARIABLES)}: {'.'.join(_VARIABLES)}: {name} takes precedence over the CA in "
            "rsp:vault.caFile: remove the variable, or caFile"
        )
