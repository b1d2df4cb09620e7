"""Check that a stack can use an existing network of somebody else."""

from collections.abc import Iterator
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any, NamedTuple

from config.names import cloud_name
from config.network import NetworkSettings
from probes.openstack_names import absent
from probes.problem import Problem

if TYPE_CHECKING:
    from openstack.connection import Connection


class FixedAddress(NamedTuple):
    """The configured address of a server in the network."""

    server: str
    """Name of the server's component."""
    key: str
    """Key of the address in the configuration."""
    address: IPv4Address


def problems(
    settings: NetworkSettings, project: str, stack: str, fixed: FixedAddress | None, connection: "Connection"
) -> Iterator[Problem]:
    """Yield a fatal problem for each reason why the network of `network.adopt`, if any, cannot be used.

    Args:
        settings: The configuration.
        project: Name of the Pulumi project, whose configuration a problem names.
        stack: Name of the stack.
        fixed: The fixed address that a server of the stack has in the network; None if there is none.
        connection: Connection to the OpenStack project.
    """
    if (adopt := settings.adopt) is None:
        return
    api: Any = connection.network
    where = f"{project}:network"
    network = api.find_network(adopt.network)
    if network is None:
        yield absent(f"{where}.adopt.network", adopt.network, (each.name for each in api.networks()))
        return
    subnets = {each.name: each for each in api.subnets(network_id=network.id)}
    subnet = subnets.get(adopt.subnet)
    if subnet is None:
        yield absent(f"{where}.adopt.subnet", adopt.subnet, subnets)
    elif subnet.cidr != str(settings.cidr):
        yield Problem(
            where=f"{where}.cidr",
            what=f"{settings.cidr} is not the CIDR of subnet `{subnet.name}`: set it to {subnet.cidr}",
        )
    if network.is_port_security_enabled is False:
        yield Problem(
            where=f"{where}.adopt.network",
            what=f"`{network.name}` has port security disabled, so Neutron refuses the security groups of nodes "
            "and servers: have its owner enable it, or choose another network",
        )
    if fixed and network.project_id != connection.current_project_id and not _may_choose_addresses(connection):
        # neutron/conf/policies/port.py: create_port:fixed_ips:ip_address
        only = f"`{network.name}` belongs to another project ({network.project_id}), and Neutron lets only its owner"
        port = api.find_port(cloud_name(stack, fixed.server, project))
        if port is None or port.network_id != network.id:
            yield Problem(
                where=f"{where}.adopt.network",
                what=f"{only} choose the address of a port, as the stack does for its server `{fixed.server}`: choose "
                "a network of this project, or remove adopt",
            )
        elif str(fixed.address) not in (present := [each["ip_address"] for each in port.fixed_ips]):
            yield Problem(
                where=f"{project}:{fixed.key}",
                what=f"is {fixed.address}, but the server has {', '.join(present)}. {only} choose another address: set "
                "it back",
            )


def _may_choose_addresses(connection: "Connection") -> bool:
    """Return whether the user may choose addresses in the networks of other projects, as administrators may."""
    auth: Any = connection.session.auth
    return "admin" in auth.get_access(connection.session).role_names
