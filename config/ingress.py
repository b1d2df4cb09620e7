from typing import Literal

from pydantic import Field

from config.section import Section


class Ingress(Section):
    """The way in: the floating IP of ingress-nginx, and the load balancer that the cluster's cloud controller makes."""

    load_balancer_provider: Literal["ovn", "amphora"] = Field(
        default="ovn",
        description="Octavia provider of the cluster's load balancers",
    )
    health_monitors: bool = Field(
        default=False,
        description="Let Octavia probe the nodes; OVN can since 22.09. Without, the controller must run on every node",
    )

    @property
    def algorithm(self) -> str:
        """How Octavia spreads connections; OVN knows one algorithm only (ovn-octavia-provider)."""
        return "SOURCE_IP_PORT" if self.load_balancer_provider == "ovn" else "ROUND_ROBIN"
