from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Literal

import pulumi
from pulumi_openstack import loadbalancer, networking

from config.ingress import NODE_PORTS, PORTS
from config.names import cloud_name

MONITOR_DELAY, MONITOR_TIMEOUT, MONITOR_RETRIES = 10, 5, 3
"""Interval and timeout of the probes of a node in seconds, and number of equal results that change its status."""


@dataclass(frozen=True, kw_only=True)
class LoadBalancerArgs:
    """Arguments of a `LoadBalancer`."""

    subnet_id: pulumi.Input[str]
    """ID of the subnet of the nodes and of the load balancer's virtual IP."""
    nodes: pulumi.Input[Sequence[str]]
    """IPv4 addresses of the nodes of the active cluster."""
    address: pulumi.Input[str]
    """Floating IPv4 address to associate with the virtual IP."""
    forward_after: Sequence[pulumi.Resource]
    """Resources to wait for before the nodes get traffic: those that make the nodes ready, and that release the
    floating IP."""
    provider: Literal["ovn", "amphora"]
    """Octavia provider."""
    algorithm: str
    """Octavia's load balancing algorithm, which the provider must support."""
    proxy_protocol: bool
    """Whether to pass the client's address with the PROXY protocol, for a provider that does not preserve it."""
    health_monitors: bool
    """Whether to probe the nodes."""
    allowed_cidrs: Sequence[IPv4Network]
    """Networks with access; all if empty. The provider ovn does not support this restriction."""


class LoadBalancer(pulumi.ComponentResource):
    """The Octavia load balancer of ingress-nginx: it forwards ports 80 and 443 of the floating IP to NodePorts.

    Magnum's drivers create the security groups of the nodes. They open NodePorts to the nodes' subnet, from which
    amphorae connect, and, with the provider ovn, which preserves clients' addresses, to all addresses. Additional rules
    are not possible, as cluster-api-provider-openstack removes them.
    """

    vip_address: pulumi.Output[str]
    """Virtual IPv4 address in the nodes' subnet."""
    address: pulumi.Output[str]
    """The floating IPv4 address, once it is associated with the load balancer."""

    def __init__(self, name: str, args: LoadBalancerArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("rsp:index:LoadBalancer", name, None, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        self._when_ready = pulumi.ResourceOptions(parent=self, depends_on=list(args.forward_after))
        label = cloud_name(pulumi.get_stack(), name)
        balancer = loadbalancer.LoadBalancer(
            f"{name}-balancer",
            name=label,
            description=f"Ingress of the Rubin Science Platform ({pulumi.get_stack()}), managed by Pulumi",
            vip_subnet_id=args.subnet_id,
            loadbalancer_provider=args.provider,
            opts=self._child,
        )
        for port in PORTS:
            self._forward(port, f"{label}-{port}", balancer)
        association = networking.FloatingIpAssociate(
            f"{name}-association",
            floating_ip=args.address,
            port_id=balancer.vip_port_id,
            opts=self._when_ready,
        )
        self.vip_address, self.address = balancer.vip_address, association.floating_ip
        self.register_outputs({"vipAddress": self.vip_address, "address": self.address})

    def _forward(self, port: str, label: str, balancer: loadbalancer.LoadBalancer) -> None:
        """Create listener, pool, members and health monitor of a port."""
        args, child = self._args, self._child
        listener = loadbalancer.Listener(
            f"{self._name}-{port}-listener",
            name=label,
            loadbalancer_id=balancer.id,
            protocol="TCP",
            protocol_port=PORTS[port],
            allowed_cidrs=[str(network) for network in args.allowed_cidrs] or None,
            opts=child,
        )
        pool = loadbalancer.Pool(
            f"{self._name}-{port}-pool",
            name=label,
            listener_id=listener.id,
            protocol="PROXY" if args.proxy_protocol else "TCP",
            lb_method=args.algorithm,
            opts=child,
        )
        loadbalancer.Members(
            f"{self._name}-{port}-members",
            pool_id=pool.id,
            members=pulumi.Output.all(args.nodes, args.subnet_id).apply(
                lambda known: [
                    loadbalancer.MembersMemberArgs(address=node, protocol_port=NODE_PORTS[port], subnet_id=known[1])
                    for node in known[0]
                ]
            ),
            opts=self._when_ready,
        )
        if args.health_monitors:
            loadbalancer.Monitor(
                f"{self._name}-{port}-monitor",
                name=label,
                pool_id=pool.id,
                # The only type for TCP that OVN supports. A node without a pod of ingress-nginx refuses the connection,
                # as the Service has externalTrafficPolicy Local.
                type="TCP",
                delay=MONITOR_DELAY,
                timeout=MONITOR_TIMEOUT,
                max_retries=MONITOR_RETRIES,
                opts=child,
            )
