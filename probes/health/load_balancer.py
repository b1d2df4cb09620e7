"""Health of the load balancers in front of the platform and of the Kubernetes API."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from config.stack_config import StackConfig
from probes import floating_ip, magnum_api, node_addresses, openstack_api
from probes import node_ports as ports_of_nodes
from probes.health import kubernetes, servers
from probes.health.finding import Finding, State, critical, ok, warning
from probes.kubernetes_api import KubernetesApi

if TYPE_CHECKING:
    from openstack.connection import Connection

INGRESS: Final = "load balancer of the platform"
API: Final = "load balancer of the Kubernetes API"
MEMBERS: Final = "members of the load balancer"
NODE_PORTS: Final = "security group of the nodes"

_GUIDE: Final = "docs/howto/on-call.md#the-load-balancer"
_MEMBERS_GUIDE: Final = "docs/howto/load-balancer.md"
_GONE: Final = frozenset({"ERROR", "OFFLINE"})
"""Operating statuses of what gets no traffic. Without a health monitor the status of a member is NO_MONITOR."""


@dataclass(frozen=True, kw_only=True)
class Member:
    """A member of a pool: a node that receives traffic for a port of the platform."""

    address: str
    port: int
    pool: str
    """Name of the pool."""
    operating_status: str
    node: str
    """Name that the cloud controller gives the member, that of the node; empty if it has none."""


def ingress_address(connection: "Connection", config: StackConfig, stack: str) -> str | None:
    """Return the floating IP of a platform; None if it does not exist. Arguments as of `ingress`."""
    found = floating_ip.of_platform(connection, config, stack)
    return str(found.floating_ip_address) if found else None


def ingress(connection: "Connection", config: StackConfig, stack: str) -> Iterator[Finding]:
    """Check the load balancer that the floating IP of the platform belongs to, and its members.

    Args:
        connection: Connection to the project.
        config: The stack configuration.
        stack: Name of the stack.
    """
    address = floating_ip.of_platform(connection, config, stack)
    if address is None:
        remedy = f"`pulumi up -s {stack} --refresh`; {_GUIDE}"
        yield critical(INGRESS, "its floating IP does not exist", remedy, ("Neutron",))
    elif address.port_id is None:
        yield critical(
            INGRESS,
            f"{address.floating_ip_address} is not associated with a load balancer",
            f"`kubectl -n ingress-nginx describe service`; {_GUIDE}",
            (kubernetes.API,),
        )
    else:
        yield from _check(connection, INGRESS, address.port_id, str(address.floating_ip_address))


def nodes(connection: "Connection", client: KubernetesApi, config: StackConfig, stack: str) -> Iterator[Finding]:
    """Check that the members of the stack's load balancer are the nodes, which no controller ensures in mode octavia.

    Args:
        connection: Connection to the project.
        client: Client for the active cluster.
        config: The stack configuration.
        stack: Name of the stack.

    Raises:
        KubernetesError: The Kubernetes API cannot be reached, or refuses the request.
    """
    address = floating_ip.of_platform(connection, config, stack)
    balancer = floating_ip.load_balancer(connection, address.port_id if address else None)
    if balancer:  # `ingress` reports that there is none
        pools: dict[str, set[str]] = {}
        for each in _members(_status_tree(connection, balancer.id)):
            pools.setdefault(each.pool, set()).add(each.address)
        nodes = node_addresses.addresses_of(client)
        yield judge_nodes(list(pools.values()), nodes, stack, monitored=config.ingress.health_monitors)


def judge_nodes(pools: list[set[str]], nodes: Collection[str], stack: str, *, monitored: bool) -> Finding:
    """Return the finding about a difference between members and nodes.

    Args:
        pools: Addresses of the members of each pool.
        nodes: Addresses of the nodes.
        stack: Name of the stack.
        monitored: Whether Octavia takes members out that do not answer.
    """
    gone = {each for pool in pools for each in pool} - set(nodes)
    missing = {each for each in nodes if not pools or any(each not in pool for pool in pools)}
    if not gone and not missing:
        return ok(MEMBERS, f"the {len(nodes)} nodes")
    lines = [f"belong to no node, for example to a replaced one: {', '.join(sorted(gone))}"] if gone else []
    lines += [f"lack the nodes {', '.join(sorted(missing))}"] if missing else []
    return Finding(
        subject=MEMBERS,
        # Without a monitor, these members get their share of the connections.
        state=State.CRITICAL if gone and not monitored else State.WARNING,
        message="\n".join(lines),
        remedy=f"`pulumi up -s {stack}` sets the members; {_MEMBERS_GUIDE}",
    )


def node_ports(connection: "Connection", cluster_name: str, network: IPv4Network) -> Iterator[Finding]:
    """Check that the nodes admit the platform's clients, whose address OVN load balancers keep.

    Args:
        connection: Connection to the project.
        cluster_name: Name of the cluster in Magnum.
        network: Network of the nodes.
    """
    if closed := ports_of_nodes.closed_group(connection, cluster_name, network):
        yield critical(NODE_PORTS, ports_of_nodes.explain(closed), _MEMBERS_GUIDE)
    else:
        yield ok(NODE_PORTS, "admits clients")


def api(connection: "Connection", cluster_name: str) -> Iterator[Finding]:
    """Check the load balancer of the Kubernetes API, if it has one.

    Args:
        connection: Connection to the project.
        cluster_name: Name of the cluster in Magnum.
    """
    cluster = magnum_api.cluster(connection, cluster_name) or {}
    host = urlsplit(cluster.get("api_address") or "").hostname or ""
    try:
        ip_address(host)
    except ValueError:
        return
    ports = [each.port_id for each in connection.network.ips(floating_ip_address=host)]
    ports += [each.vip_port_id for each in connection.load_balancer.load_balancers(vip_address=host)]
    if ports and ports[0]:
        yield from _check(connection, API, ports[0], host)


def describe(connection: "Connection", address: str) -> list[str]:
    """Return the states of a floating IP's load balancer and of its members, a line each.

    Raises:
        openstack.exceptions.SDKException: A service cannot be reached, or refuses the request.
    """
    balancer = floating_ip.load_balancer(connection, floating_ip.port_of(connection, address))
    if balancer is None:
        return [f"{address} is not associated with a load balancer"]
    tree = _status_tree(connection, balancer.id)
    states = f"{tree['provisioning_status']}, {tree['operating_status']}"
    lines = [f"{_subject(each)}: {each.operating_status}" for each in _members(tree)]
    return [f"load balancer {balancer.name}: {states}", *(lines or ["it has no members"])]


def _status_tree(connection: "Connection", balancer: str) -> Mapping[str, Any]:
    answer = openstack_api.get(connection.load_balancer, f"/lbaas/loadbalancers/{balancer}/status") or {}
    tree: Mapping[str, Any] = answer["statuses"]["loadbalancer"]
    return tree


def _check(connection: "Connection", subject: str, port: str, address: str) -> Iterator[Finding]:
    balancer = floating_ip.load_balancer(connection, port)
    if balancer is None:
        # Another kind of port, such as that of a single master.
        if subject == INGRESS:
            yield critical(subject, f"{address} belongs to no load balancer", _GUIDE, (kubernetes.API,))
        return
    yield from judge(subject, address, _status_tree(connection, balancer.id))


def judge(subject: str, address: str, tree: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield the findings about a load balancer and its members.

    Args:
        subject: Subject of the load balancer.
        address: Its public address.
        tree: Its status tree in Octavia's API.
    """
    members = list(_members(tree))
    provisioning, operating = tree["provisioning_status"], tree["operating_status"]
    message = f"{address}: {provisioning}, {operating}"
    show = f"`openstack loadbalancer status show {tree['id']}`; {_GUIDE}"
    up = [each for each in members if each.operating_status not in _GONE]
    if provisioning == "ERROR" or operating in _GONE:
        yield critical(subject, message, f"`openstack loadbalancer failover {tree['id']}` (amphora); {show}")
    elif not members:
        yield critical(subject, f"{message}, without members", show, (kubernetes.API,))
    elif not up:
        parts = tuple(_subject(each) for each in members)
        text = f"{message}, all members are down"
        yield Finding(subject=subject, state=State.CRITICAL, message=text, remedy=show, parts=parts)
    elif provisioning != "ACTIVE":
        yield warning(subject, message, f"wait; {show}")
    else:
        yield ok(subject, f"{message}, {len(up)} of {len(members)} members up")
    for each in members:
        if each.operating_status in _GONE:
            yield Finding(
                subject=_subject(each),
                state=State.WARNING if up else State.CRITICAL,
                message=f"{each.operating_status}: gets no traffic",
                remedy=show,
                because_of=(servers.subject(each.node), kubernetes.node_subject(each.node)),
            )


def _members(tree: Mapping[str, Any]) -> Iterator[Member]:
    pools = {pool["id"]: pool for holder in [tree, *tree.get("listeners", [])] for pool in holder.get("pools", [])}
    for pool in pools.values():
        for each in pool.get("members", []):
            yield Member(
                address=each["address"],
                port=each["protocol_port"],
                pool=pool["name"],
                operating_status=each["operating_status"],
                node=each.get("name") or "",
            )


def _subject(member: Member) -> str:
    name = f" ({member.node})" if member.node else ""
    return f"member {member.address}:{member.port}{name} of {member.pool}"
