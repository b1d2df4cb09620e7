"""What the configuration alone tells the applications: Helm values that are known before anything is made.

They count as if they stood in the Phalanx repository: for the conditions of secrets (``if`` in secrets.yaml), for the
charts that are rendered and for the Argo CD Applications. The keys are those of the applications' ``values.yaml`` in
https://github.com/lsst-sqre/phalanx. What the infrastructure has to tell, when it is there, is in wiring/facts.py.
"""

from collections.abc import Mapping
from typing import Any

from config.stack_config import StackConfig
from config.tls import LetsEncrypt, PhalanxCertificate, VaultCertificate

ISSUER = "letsencrypt-dns"
"""The ClusterIssuer that Phalanx's ingresses ask for a certificate, whatever the challenge
(applications/cert-manager/templates/cluster-issuer.yaml, applications/argocd/values.yaml)."""

INGRESS_CERTIFICATE = "ingress-nginx/ingress-certificate"
"""Namespace and name of the Secret that ingress-nginx makes of Vault's certificate
(applications/ingress-nginx/templates/vault-secrets.yaml)."""

ARGOCD_CERTIFICATE = "argocd/argocd-server-tls"
"""Namespace and name of the Secret that cert-manager makes for Argo CD's Ingress; all others of the host share it."""

Values = Mapping[str, Mapping[str, Any]]
"""Helm values by application."""


def application_values(config: StackConfig) -> Values:
    """Helm values to merge over those of the Phalanx repository, by application; they hold no secret."""
    storage = {"postgres": {"postgresStorageClass": config.applications.database_storage_class}}
    match config.tls:
        case VaultCertificate():
            return {**storage, **_certificate_of_vault()}
        case LetsEncrypt():
            return {**storage, **_certificate_of_cert_manager()}
        case PhalanxCertificate():
            return storage


def _certificate_of_vault() -> Values:
    return {
        "argocd": {"argo-cd": {"server": {"ingress": {"tls": False}}}},
        "cert-manager": {"config": {"createIssuer": False}},
        "ingress-nginx": {"vaultCertificate": {"enabled": True}, **_default_certificate(INGRESS_CERTIFICATE)},
    }


def _certificate_of_cert_manager() -> Values:
    ingress = {"tls": True, "annotations": {"cert-manager.io/cluster-issuer": ISSUER}}
    return {
        "argocd": {"argo-cd": {"server": {"ingress": ingress}}},
        # Phalanx's own issuer knows Route 53 alone: components/certificate_issuer.py makes it instead.
        "cert-manager": {"config": {"createIssuer": False}},
        "ingress-nginx": {"vaultCertificate": {"enabled": False}, **_default_certificate(ARGOCD_CERTIFICATE)},
    }


def _default_certificate(secret: str) -> dict[str, Any]:
    return {"ingress-nginx": {"controller": {"extraArgs": {"default-ssl-certificate": secret}}}}
