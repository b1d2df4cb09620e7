from dataclasses import dataclass
from typing import Any

import pulumi
from pulumi import ResourceOptions
from pulumi_kubernetes.apiextensions import CustomResource

from components.designate_solver import DesignateSolver, DesignateSolverArgs
from components.timeouts import timeouts
from wiring.application_values import ISSUER

_INGRESS_CLASS = "nginx"
"""IngressClass of ingress-nginx (applications/argocd/values.yaml)."""


@dataclass(frozen=True, kw_only=True)
class CertificateIssuerArgs:
    """Arguments of a `CertificateIssuer`."""

    email: str
    """Address of the ACME account."""
    server: str
    """URL of the ACME directory."""
    designate: DesignateSolverArgs | None
    """Arguments of the solver for the DNS-01 challenge; None for the HTTP-01 challenge."""
    timeout: int
    """Seconds to wait until the account is registered."""


class CertificateIssuer(pulumi.ComponentResource):
    """The ClusterIssuer from which Phalanx's Ingresses request certificates.

    Phalanx's own issuer (applications/cert-manager/templates/cluster-issuer.yaml) supports only Amazon Route 53. This
    one has the same name, and the same Secret for the account key. Therefore it is retained when it leaves the stack:
    by then it may belong to Argo CD, which would not create it again at the same revision.
    """

    def __init__(self, name: str, args: CertificateIssuerArgs, opts: ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:CertificateIssuer", name, None, opts)
        child = ResourceOptions(parent=self)
        solver: dict[str, Any] = {"http01": {"ingress": {"ingressClassName": _INGRESS_CLASS}}}
        depends_on: list[pulumi.Resource] = []
        if args.designate:
            designate = DesignateSolver(f"{name}-designate", args.designate, child)
            # The record may be in another zone that a CNAME points to.
            solver = {"dns01": {"cnameStrategy": "Follow", "webhook": designate.webhook}}
            depends_on.append(designate)
        CustomResource(
            f"{name}-issuer",
            api_version="cert-manager.io/v1",
            kind="ClusterIssuer",
            metadata={
                "name": ISSUER,
                # Of a retained one, other field managers own the fields.
                "annotations": {"pulumi.com/waitFor": "condition=Ready", "pulumi.com/patchForce": "true"},
            },
            spec={
                "acme": {
                    "email": args.email,
                    "server": args.server,
                    "privateKeySecretRef": {"name": "cert-manager-letsencrypt"},
                    "solvers": [solver],
                },
            },
            opts=ResourceOptions.merge(
                ResourceOptions.merge(child, timeouts(args.timeout)),
                ResourceOptions(depends_on=depends_on, retain_on_delete=True),
            ),
        )
        self.register_outputs({})
