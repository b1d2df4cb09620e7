from typing import Literal

from pydantic import Field

from config.addresses import Address
from config.section import Section


class Ingress(Section):
    """The load balancer of ingress-nginx, which the cluster's cloud controller creates."""

    load_balancer_provider: Literal["ovn", "amphora"] = Field(
        default="ovn",
        description="Octavia provider of the cluster's load balancers",
    )
    health_monitors: bool = Field(
        default=False,
        description=(
            "Create health monitors for the nodes (provider ovn requires OVN 22.09 or later); without them "
            "ingress-nginx runs on every node"
        ),
    )

    floating_ip: Address | None = Field(
        default=None,
        description=(
            "Existing floating IP of the project for the platform, which the stack never deletes; by default the stack "
            "creates one"
        ),
        examples=["192.0.2.1"],
    )

    @property
    def algorithm(self) -> str:
        """Octavia's load balancing algorithm; the OVN provider supports one only (ovn-octavia-provider)."""
        return "SOURCE_IP_PORT" if self.load_balancer_provider == "ovn" else "ROUND_ROBIN"
