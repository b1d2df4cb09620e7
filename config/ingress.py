from typing import Literal

from pydantic import Field

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

    @property
    def algorithm(self) -> str:
        """Octavia's load balancing algorithm; the OVN provider supports one only (ovn-octavia-provider)."""
        return "SOURCE_IP_PORT" if self.load_balancer_provider == "ovn" else "ROUND_ROBIN"
