from typing import Any

from phalanx.values import is_true
from tests.unit.sample import environment
from wiring.application_values import application_values

LETS_ENCRYPT: dict[str, Any] = {"kind": "letsencrypt", "email": "rsp@example.org"}


def test_certificate_settings_of_phalanx_are_kept_by_default() -> None:
    assert application_values(environment()) == {"postgres": {"postgresStorageClass": "standard"}}


def test_the_operator_logs_in_at_the_path_of_the_auth_method() -> None:
    values = application_values(environment(vault={"approle": {"path": "auth-of-roe"}}))
    operator = values["vault-secrets-operator"]["vault-secrets-operator"]
    assert operator == {"vault": {"appRolePath": "auth/auth-of-roe"}}


def test_a_certificate_from_vault_is_served() -> None:
    values = application_values(environment(tls={"kind": "vault"}))
    assert is_true(values["ingress-nginx"], "vaultCertificate.enabled")
    arguments = values["ingress-nginx"]["ingress-nginx"]["controller"]["extraArgs"]
    assert arguments == {"default-ssl-certificate": "ingress-nginx/ingress-certificate"}
    assert not is_true(values["cert-manager"], "config.createIssuer")
    assert values["argocd"]["argo-cd"]["server"]["ingress"]["tls"] is False


def test_a_certificate_from_cert_manager_is_requested_by_argocds_ingress() -> None:
    values = application_values(environment(tls=LETS_ENCRYPT))
    assert not is_true(values["ingress-nginx"], "vaultCertificate.enabled")
    assert not is_true(values["cert-manager"], "config.createIssuer")
    assert values["argocd"]["argo-cd"]["server"]["ingress"] == {
        "tls": True,
        "annotations": {"cert-manager.io/cluster-issuer": "letsencrypt-dns"},
    }
