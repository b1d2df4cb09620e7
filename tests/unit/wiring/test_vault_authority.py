from typing import Any

import pytest

from phalanx.application import Application
from wiring.vault_authority import helm_values, problems

PEM = "-----BEGIN CERTIFICATE-----\n"
ROLE = {"name": "VAULT_ROLE_ID", "valueFrom": {"secretKeyRef": {"name": "vault-credentials", "key": "VAULT_ROLE_ID"}}}


def operator(*variables: Any) -> dict[str, Any]:
    return {"vault-secrets-operator": {"environmentVars": list(variables)}}


def test_other_variables_are_kept() -> None:
    values = operator(ROLE, {"name": "VAULT_CACERT_BYTES", "value": "older"})
    assert helm_values(PEM, values) == operator(ROLE, {"name": "VAULT_CACERT_BYTES", "value": PEM})
    assert helm_values(PEM, {}) == operator({"name": "VAULT_CACERT_BYTES", "value": PEM})


def test_with_a_public_authority_nothing_is_set() -> None:
    assert helm_values("", operator(ROLE)) == {}


@pytest.mark.parametrize("name", ["VAULT_CACERT", "VAULT_SKIP_VERIFY"])
def test_variables_that_take_precedence_are_reported(name: str) -> None:
    values = operator(ROLE, {"name": name, "value": "x"})
    files = {"applications/vault-secrets-operator/values-roe.yaml": values}
    (problem,) = problems(Application(name="vault-secrets-operator", values=values, files=files))
    assert problem == (
        f"applications/vault-secrets-operator/values-roe.yaml: vault-secrets-operator.environmentVars: {name} takes "
        "precedence over the CA in rsp:vault.caFile: remove the variable, or caFile"
    )
