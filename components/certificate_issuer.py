from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from components.designate_solver import DesignateSolver
from components.waiting import wait
from config.tls import Designate, LetsEncrypt
from wiring.application_values import ISSUER

CERT_MANAGER = "cert-manager"
"""The application and its namespace."""

_INGRESS_CLASS = "nginx"
"""The class of ingress-nginx (applications/argocd/values.yaml)."""


@dataclass(frozen=True, kw_only=True)
class CertificateIssuerArgs:
    """What a ``CertificateIssuer`` is made from."""

    settings: LetsEncrypt
    """The ACME account and its challenge."""
    region: str | None
    """OpenStack region of the DNS service, None if the cloud has one region only."""
    timeout: int
    """Seconds to wait until the account is registered."""


class CertificateIssuer(pulumi.ComponentResource):
    """The ClusterIssuer that Phalanx's ingresses ask for a certificate, with or without Designate behind it.

    Phalanx brings one of its own, which can prove a name by Amazon's Route 53 alone
    (applications/cert-manager/templates/cluster-issuer.yaml): this one has its name and its account's key.
    """

    def __init__(self, name: str, args: CertificateIssuerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:CertificateIssuer", name, {}, opts)
        child = ResourceOptions(parent=self)
        settings = args.settings
        needed: list[pulumi.Resource] = []
        solver: dict[str, Any] = {"http01": {"ingress": {"ingressClassName": _INGRESS_CLASS}}}
        if isinstance(settings.challenge, Designate):
            designate = DesignateSolver(f"{name}-designate", settings.challenge, CERT_MANAGER, args.region, child)
            # The record may lie in another zone, to which a CNAME leads.
            solver = {"dns01": {"cnameStrategy": "Follow", "webhook": designate.webhook}}
            needed.append(designate)
        CustomResource(
            f"{name}-issuer",
            api_version="cert-manager.io/v1",
            kind="ClusterIssuer",
            metadata={
                "name": ISSUER,
                "annotations": {"pulumi.com/waitFor": "condition=Ready"},
            },
            spec={
                "acme": {
                    "email": settings.email,
                    "server": str(settings.server),
                    "privateKeySecretRef": {"name": "cert-manager-letsencrypt"},
                    "solvers": [solver],
                },
            },
            opts=ResourceOptions.merge(
                ResourceOptions.merge(child, wait(args.timeout)), ResourceOptions(depends_on=needed)
            ),
        )
        self.register_outputs({})
