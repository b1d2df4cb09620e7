from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
from pulumi_openstack import networking


@dataclass(frozen=True, kw_only=True)
class IngressAddressArgs:
    """What an `IngressAddress` is made from."""

    external_network: str
    """Name of the external network that the address comes from."""
    health_monitors: bool
    """Whether Octavia probes the nodes behind the address."""
    protect: bool = True
    """Refuse to give the address back: names in the DNS point to it."""


class IngressAddress(pulumi.ComponentResource):
    """The floating IP at which users reach the platform, and how ingress-nginx asks the cloud controller for it.

    Only the address is ours. The OpenStack cloud controller makes the load balancer of the Service and ties the address
    to it, so port and fixed address are left out here: setting them would undo what the controller did.
    """

    address: pulumi.Output[str]
    """The floating IPv4 address."""
    annotations: Mapping[str, str]
    """Annotations of the Service of ingress-nginx, for the cloud controller."""
    controller_kind: str
    """Kubernetes kind of the ingress-nginx controller that this load balancer needs."""

    def __init__(self, name: str, args: IngressAddressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:IngressAddress", name, None, opts)
        floating_ip = networking.FloatingIp(
            f"{name}-address",
            pool=args.external_network,
            # The cloud controller deletes a Service's address only if the description is one of its own.
            description=f"Ingress of the Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        self.address = floating_ip.address
        self.annotations = service_annotations(health_monitors=args.health_monitors)
        self.controller_kind = controller_kind(health_monitors=args.health_monitors)
        self.register_outputs(
            {"address": self.address, "annotations": self.annotations, "controllerKind": self.controller_kind},
        )


def service_annotations(*, health_monitors: bool) -> dict[str, str]:
    """What the Service of ingress-nginx says to the cloud controller.

    The keys are documented in cloud-provider-openstack, docs/openstack-cloud-controller-manager,
    "Exposing applications using services of LoadBalancer type".
    """
    return {
        "loadbalancer.openstack.org/keep-floatingip": "true",
        "loadbalancer.openstack.org/enable-health-monitor": str(health_monitors).lower(),
    }


def controller_kind(*, health_monitors: bool) -> str:
    """DaemonSet where nothing probes the nodes, else Deployment.

    Phalanx sets ``externalTrafficPolicy: Local``: a node without a controller drops what reaches it, and without health
    monitors the load balancer goes on sending there.
    """
    return "Deployment" if health_monitors else "DaemonSet"
