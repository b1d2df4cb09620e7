"""Changes of the configuration that Neutron cannot apply to the existing network, as it is in use."""

from collections.abc import Iterable, Iterator
from typing import Any

from config.names import cloud_name
from config.network import NetworkSettings
from probes.problem import Problem


def problems(settings: NetworkSettings, project: str, stack: str, server: str | None, api: Any) -> Iterator[Problem]:
    """Yield a fatal problem for each configured value that the existing network cannot get.

    Args:
        settings: The configuration.
        project: Name of the Pulumi project, whose configuration a problem names.
        stack: Name of the stack.
        server: Name of the component whose port shows in which network the stack is; None if the stack has no server of
            its own. Then its own network is compared: Pulumi protects the cluster from another one.
        api: Neutron, as by openstacksdk.
    """
    where, way = f"{project}:network", "set it back, or deploy another stack"
    port = api.find_port(cloud_name(stack, server, project)) if server else None
    if server and port is None:
        return
    own = api.find_network(cloud_name(stack, "network", project))
    if port is None:
        subnets_of_own = api.subnets(network_id=own.id) if own is not None and settings.adopt is None else ()
        yield from _other_cidrs(subnets_of_own, settings, where, way)
        return
    adopt, subnets = settings.adopt, {each.id: each for each in api.subnets(network_id=port.network_id)}
    used = [subnets[each["subnet_id"]] for each in port.fixed_ips if each["subnet_id"] in subnets]
    if (own is not None and own.id == port.network_id) != (adopt is None):
        present = "an adopted network" if adopt is None else f"the network `{cloud_name(stack, 'network', project)}`"
        yield Problem(
            where=f"{where}.adopt",
            what=f"is {'not ' if adopt is None else ''}set, but the servers are in {present}, which they cannot leave: "
            f"{way}",
        )
    elif adopt is None:
        yield from _other_cidrs(used, settings, where, way)
    elif (wanted := api.find_network(adopt.network)) is not None and wanted.id != port.network_id:
        yield Problem(
            where=f"{where}.adopt.network",
            what=f"is `{adopt.network}`, but the servers are in network {port.network_id}, which they cannot leave: "
            f"{way}",
        )
    elif used and adopt.subnet not in {each.name for each in used}:
        yield Problem(
            where=f"{where}.adopt.subnet",
            what=f"is `{adopt.subnet}`, but the servers are in `{used[0].name}`, which they cannot leave: {way}",
        )


def _other_cidrs(subnets: Iterable[Any], settings: NetworkSettings, where: str, way: str) -> Iterator[Problem]:
    for subnet in subnets:
        if subnet.cidr != str(settings.cidr):
            yield Problem(
                where=f"{where}.cidr",
                what=f"is {settings.cidr}, but the servers are in {subnet.cidr}, which they cannot leave: {way}",
            )
