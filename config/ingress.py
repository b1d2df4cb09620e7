from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from config.addresses import Address, ClientNetwork
from config.changes import in_place, refused, replaces, this_run
from config.clusters import Clusters
from config.section import Section
from config.stack_file import KeyPath

Mode = Literal["cloud-controller", "octavia"]

PORTS: Mapping[str, int] = {"http": 80, "https": 443}
"""Ports of the platform, by their name in the Service of ingress-nginx."""

NODE_PORTS: Mapping[str, int] = {"http": 30080, "https": 30043}
"""NodePorts of ingress-nginx in mode octavia. Kubernetes assigns other Services ports from 30086 on, as long as one is
free (https://kubernetes.io/docs/concepts/services-networking/service/#avoid-nodeport-collisions)."""


class Ingress(Section):
    """The load balancer of ingress-nginx."""

    mode: Annotated[
        Mode,
        replaces(
            "the load balancer, which interrupts the platform for a short time; the floating IP stays "
            "(docs/howto/load-balancer.md)"
        ),
    ] = Field(
        default="cloud-controller",
        description=(
            "Owner of the load balancer: cloud-controller, the OpenStack cloud controller, which creates it for the "
            "Service of ingress-nginx and follows all changes of the nodes; octavia, this stack, whose preview shows "
            "it, and which sets the nodes as its members in each `pulumi up`. octavia does not support autoscaling"
        ),
    )
    load_balancer_provider: Annotated[
        Literal["ovn", "amphora"],
        refused(
            "Magnum configures the cloud controller when it creates a cluster; create another stack with a new cluster"
        ),
    ] = Field(
        default="ovn",
        description=(
            "Octavia provider of the cluster's load balancers; `openstack loadbalancer provider list` shows the cloud's"
        ),
    )
    health_monitors: Annotated[
        bool,
        in_place(
            "creates or deletes the monitors, and updates ingress-nginx, whose controller becomes a Deployment or a "
            "DaemonSet; some connections fail for some seconds"
        ),
    ] = Field(
        default=False,
        description=(
            "Create health monitors for the nodes, so that one that fails gets no connections; recommended, but "
            "provider ovn requires OVN 22.09 or later. Without them ingress-nginx runs on every node"
        ),
    )
    allowed_cidrs: Annotated[tuple[ClientNetwork, ...], in_place("updates the listeners")] = Field(
        default=(),
        max_length=50,
        description=(
            "Networks with access to the platform; all if empty. Requires mode octavia and loadBalancerProvider "
            "amphora, as OVN load balancers do not support it"
        ),
        examples=[["192.0.2.0/28"]],
    )
    floating_ip: Annotated[
        Address | None,
        refused(
            "DNS records refer to the address, in each mode, and the cloud controller assigns one only when it creates "
            "a load balancer; to accept another address, in mode octavia after a change to the other one, delete the "
            "Service of ingress-nginx, which interrupts the platform, change the key with `pulumi up --replace "
            "'**::created-with-ingress.floatingIp'`, and change the DNS records"
        ),
    ] = Field(
        default=None,
        description=(
            "Existing floating IP of the project for the platform, which the stack never deletes; by default the stack "
            "creates one"
        ),
        examples=["192.0.2.1"],
    )

    answer_timeout: Annotated[int, this_run("the next `pulumi up` tries for as long; no resource has it")] = Field(
        default=120,
        ge=0,
        le=3600,
        description=(
            "Seconds for which each `pulumi up` tries to reach the platform's address by TLS before it fails with the "
            "state of the load balancer; 0 if the machine that runs it cannot reach the platform"
        ),
    )

    @model_validator(mode="after")
    def _can_restrict_clients(self) -> Self:
        if self.allowed_cidrs and self.load_balancer_provider == "ovn":
            raise ValueError(
                "allowedCidrs: OVN load balancers do not support allowed CIDRs: remove it, or set loadBalancerProvider "
                "to amphora"
            )
        if self.allowed_cidrs and self.mode != "octavia":
            raise ValueError(f"allowedCidrs is not supported by mode {self.mode}: remove it, or set mode to octavia")
        return self

    @property
    def algorithm(self) -> str:
        """Octavia's load balancing algorithm; the OVN provider supports only one (ovn-octavia-provider)."""
        return "SOURCE_IP_PORT" if self.load_balancer_provider == "ovn" else "ROUND_ROBIN"

    @property
    def proxy_protocol(self) -> bool:
        """True if the load balancer of this stack passes the client's address with the PROXY protocol."""
        return self.mode == "octavia" and self.load_balancer_provider == "amphora"


def fixed_nodes(clusters: Clusters, ingress: Ingress) -> Iterator[tuple[KeyPath, str]]:
    """Yield a conflict if nodes come and go without this program, which sets the load balancer's members."""
    scaled = [
        f"clusters.{name}.{path}.autoscaling"
        for name, cluster in clusters.items()
        for path, group in cluster.groups_by_path.items()
        if group.autoscaling
    ]
    if ingress.mode == "octavia" and scaled:
        reason = (
            f"octavia does not support {scaled[0]}, as the load balancer would not get the nodes "
            "that the autoscaler adds: remove autoscaling, or set mode to cloud-controller"
        )
        yield ("ingress", "mode"), reason
