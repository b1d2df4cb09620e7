"""Helm values that follow from the configuration alone.

They override those of the Phalanx repository everywhere: in the conditions of secrets (``if`` in secrets.yaml), in
rendered charts and in the Argo CD Applications. The keys are those of the applications' ``values.yaml`` in
https://github.com/lsst-sqre/phalanx. Values that are known only from created resources are in wiring/facts.py.
"""

from collections.abc import Mapping
from typing import Any

from config.applications import WiringMode
from config.stack_config import StackConfig
from config.tls import LetsEncrypt, PhalanxCertificate, VaultCertificate

ISSUER = "letsencrypt-dns"
"""Name of the ClusterIssuer that Phalanx's Ingresses use, with any challenge
(applications/cert-manager/templates/cluster-issuer.yaml, applications/argocd/values.yaml)."""

INGRESS_CERTIFICATE = "ingress-nginx/ingress-certificate"
"""Namespace and name of the Secret with the certificate from Vault
(applications/ingress-nginx/templates/vault-secrets.yaml)."""

ARGOCD_CERTIFICATE = "argocd/argocd-server-tls"
"""Namespace and name of the Secret that cert-manager creates for Argo CD's Ingress; all other Ingresses use it, too."""

_DEFAULT_PATH = "approle"
"""Path of the auth method in the default ``appRolePath`` of https://github.com/ricoberger/vault-secrets-operator."""

Values = Mapping[str, Mapping[str, Any]]
"""Helm values by application."""


def application_values(config: StackConfig) -> Values:
    """Return the Helm values that override those of the Phalanx repository, by application; none is secret.

    Empty in mode ``verify``, in which the repository must have the `required_values` itself.
    """
    return {} if config.applications.wiring is WiringMode.VERIFY else required_values(config)


def required_values(config: StackConfig) -> Values:
    """Return the Helm values that follow from the configuration, by application; none is secret."""
    always = {
        "postgres": {"postgresStorageClass": config.applications.database_storage_class},
        **_operator_login(config.vault.approle.path),
    }
    match config.tls:
        case VaultCertificate():
            return {**always, **_certificate_from_vault()}
        case LetsEncrypt():
            return {**always, **_certificate_from_cert_manager()}
        case PhalanxCertificate():
            return always


def _operator_login(path: str) -> Values:
    """Return the path at which the operator logs in, unless it is the default of its chart."""
    if path == _DEFAULT_PATH:
        return {}
    return {"vault-secrets-operator": {"vault-secrets-operator": {"vault": {"appRolePath": f"auth/{path}"}}}}


def _certificate_from_vault() -> Values:
    return {
        "argocd": {"argo-cd": {"server": {"ingress": {"tls": False}}}},
        "cert-manager": {"config": {"createIssuer": False}},
        "ingress-nginx": {"vaultCertificate": {"enabled": True}, **_default_certificate(INGRESS_CERTIFICATE)},
    }


def _certificate_from_cert_manager() -> Values:
    ingress = {"tls": True, "annotations": {"cert-manager.io/cluster-issuer": ISSUER}}
    return {
        "argocd": {"argo-cd": {"server": {"ingress": ingress}}},
        # Phalanx's own issuer supports Route 53 only; components/certificate_issuer.py creates it instead.
        "cert-manager": {"config": {"createIssuer": False}},
        "ingress-nginx": {"vaultCertificate": {"enabled": False}, **_default_certificate(ARGOCD_CERTIFICATE)},
    }


def _default_certificate(secret: str) -> dict[str, Any]:
    return {"ingress-nginx": {"controller": {"extraArgs": {"default-ssl-certificate": secret}}}}
