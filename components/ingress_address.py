from dataclasses import dataclass
from ipaddress import IPv4Address

import pulumi
from pulumi_openstack import networking

from config.ingress import Mode
from config.names import ingress_description


@dataclass(frozen=True, kw_only=True)
class IngressAddressArgs:
    """Arguments of an `IngressAddress`."""

    external_network: str
    """Name of the external network of the floating IP."""
    existing: IPv4Address | None
    """Existing floating IP to use; None to create one."""
    mode: Mode
    """Owner of the load balancer that gets the address."""
    protect: bool
    """Whether to protect the floating IP, which DNS records point to."""


class IngressAddress(pulumi.ComponentResource):
    """The floating IP of the platform.

    This component owns the address only. The OpenStack cloud controller, or a `LoadBalancer`, associates the address
    with a load balancer, so port and fixed address are not set here.
    """

    address: pulumi.Output[str]
    """The floating IPv4 address."""
    assigned_address: pulumi.Output[str]
    """The same address, for the association with a `LoadBalancer`. A change of mode or address replaces this value,
    which disassociates the address before the cloud controller gets it: the controller takes only a free address."""

    def __init__(self, name: str, args: IngressAddressArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:IngressAddress", name, None, opts)
        if args.existing:
            # Not a resource of the stack, so that it is never changed or deleted.
            self.address = pulumi.Output.from_input(str(args.existing))
        else:
            self.address = self._create(name, args)
        # Pulumi deletes what a program no longer contains at the end of a run, which would be too late. Before it
        # replaces a resource with `delete_before_replace`, it deletes those that depend on its output.
        self.assigned_address = pulumi.Stash(
            f"{name}-assignment",
            input=self.address,
            opts=pulumi.ResourceOptions(
                parent=self, replacement_trigger=[args.mode, self.address], delete_before_replace=True
            ),
        ).output
        self.register_outputs({"address": self.address})

    def _create(self, name: str, args: IngressAddressArgs) -> pulumi.Output[str]:
        return networking.FloatingIp(
            f"{name}-address",
            pool=args.external_network,
            description=ingress_description(pulumi.get_stack()),
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        ).address
