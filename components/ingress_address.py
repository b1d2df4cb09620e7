from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
from pulumi_openstack import networking

from config.names import ingress_description
from wiring.ingress_service import controller_kind, service_annotations


@dataclass(frozen=True, kw_only=True)
class IngressAddressArgs:
    """Arguments of an `IngressAddress`."""

    external_network: str
    """Name of the external network of the floating IP."""
    existing: IPv4Address | None = None
    """Existing floating IP to use; None to create one."""
    health_monitors: bool
    """Whether Octavia probes the nodes behind the address."""
    protect: bool = True
    """Whether to protect the floating IP, which DNS records point to."""


class IngressAddress(pulumi.ComponentResource):
    """The floating IP of the platform, and the settings of ingress-nginx that assign it to a load balancer.

    This component owns the address only. The OpenStack cloud controller creates the load balancer of the Service and
    associates the address with it, so port and fixed address are not set here.
    """

    address: pulumi.Output[str]
    """The floating IPv4 address."""
    annotations: Mapping[str, str]
    """Annotations of the Service of ingress-nginx, for the cloud controller."""
    controller_kind: str
    """Kubernetes kind of the ingress-nginx controller: DaemonSet or Deployment."""

    def __init__(self, name: str, args: IngressAddressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:IngressAddress", name, None, opts)
        if args.existing:
            # Not a resource of the stack, so that it is never changed or deleted.
            self.address = pulumi.Output.from_input(str(args.existing))
        else:
            self.address = self._create(name, args)
        self.annotations = service_annotations(health_monitors=args.health_monitors)
        self.controller_kind = controller_kind(health_monitors=args.health_monitors)
        self.register_outputs(
            {"address": self.address, "annotations": self.annotations, "controllerKind": self.controller_kind},
        )

    def _create(self, name: str, args: IngressAddressArgs) -> pulumi.Output[str]:
        return networking.FloatingIp(
            f"{name}-address",
            pool=args.external_network,
            description=ingress_description(pulumi.get_stack()),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        ).address
