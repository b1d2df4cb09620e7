from typing import Any

import pytest

from config.loader import ConfigError
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


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        ({"kind": "letsencrypt"}, "rsp:tls.email is missing. Expected: Email address of the ACME account"),
        ({**LETS_ENCRYPT, "email": "rsp"}, "rsp:tls.email: is not valid: must be an email address"),
        ({**LETS_ENCRYPT, "server": "staging"}, "rsp:tls.server: does not begin with a scheme (https://) and a host"),
        ({"kind": "acme"}, "rsp:tls.kind must be one of phalanx, vault, letsencrypt."),
        ({**LETS_ENCRYPT, "challenge": {"kind": "tls"}}, "rsp:tls.challenge.kind must be one of http01, designate."),
        ({**LETS_ENCRYPT, "challenge": {"kind": "designate"}}, "rsp:tls.challenge.zone is missing."),
        (
            {**LETS_ENCRYPT, "challenge": {"kind": "designate", "zone": "example.org."}},
            "rsp:tls.challenge.zone: ends with a dot: must be a DNS name",
        ),
        ({"kind": "vault", "email": "rsp@example.org"}, "rsp:tls.email is not a known key"),
    ],
)
def test_invalid_input_is_reported_with_its_key(tls: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        environment(tls=tls)
    assert message in str(caught.value)
