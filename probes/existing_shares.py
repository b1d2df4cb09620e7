"""Whether Manila can create the configured shares, and changes that it cannot apply to existing ones.

Sources: ``resourceSharedFilesystemShareV2Update`` of terraform-provider-openstack, which only extends and shrinks;
``manila/api/v2/shares.py`` for types and share networks.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from config.names import cloud_name
from config.shares import Share
from config.stack_config import StackConfig
from probes import openstack_api
from probes.openstack_names import absent
from probes.problem import Problem

_OWN_SERVERS: Final = "driver_handles_share_servers"
"""Extra specification of each share type: whether the driver creates a server for each share network."""


def problems(config: StackConfig, stack: str, manila: Any) -> Iterator[Problem]:
    """Yield a fatal problem for each value that a share cannot have or get.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        manila: Manila, as by openstacksdk.
    """
    types = {each.name: each for each in manila.share_types()}
    networks = {each.name: each for each in manila.share_networks()}
    existing = {each.name: each for each in manila.shares()}
    for name, share in config.shares.items():
        where = f"rsp:shares.{name}"
        if found := existing.get(cloud_name(stack, f"share-{name}")):
            yield from _changes(where, share, found, types, networks)
        else:
            yield from _new(where, share, manila, types, networks)


def _new(
    where: str, share: Share, manila: Any, types: Mapping[str, Any], networks: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what prevents the creation of a share."""
    if share.network and share.network not in networks:
        yield absent(f"{where}.network", share.network, networks, "share network")
    if share.type is None:
        default = openstack_api.get(manila, "/types/default")
        if default is None:
            yield Problem(
                where=f"{where}.type",
                what=f"is not set, and the cloud has no default share type: set it to one of {_listed(types)}",
            )
            return
        name, extra = default["share_type"]["name"], default["share_type"]["extra_specs"]
    elif share.type in types:
        name, extra = share.type, types[share.type].extra_specs
    else:
        yield absent(f"{where}.type", share.type, types, "share type")
        return
    own_servers = str(extra.get(_OWN_SERVERS)).lower() == "true"
    if own_servers and not share.network:
        yield Problem(
            where=f"{where}.network",
            what=f"is required by share type `{name}`, whose driver creates share servers in it: set it to one of "
            f"{_listed(networks)} (`openstack share network create`)",
        )
    if share.network and not own_servers:
        yield Problem(
            where=f"{where}.network",
            what=f"is not supported by share type `{name}`, whose shares are in the storage's own network: remove it",
        )


def _changes(
    where: str, share: Share, found: Any, types: Mapping[str, Any], networks: Mapping[str, Any]
) -> Iterator[Problem]:
    """Yield what cannot be changed of a share that exists."""
    back = "set it back, or add another share and copy the data to it (docs/howto/shared-filesystem.md)"
    if found.size > share.size:
        yield Problem(
            where=f"{where}.size",
            what=f"{share.size} GiB is less than the {found.size} GiB of the existing share, whose data may not fit: "
            f"set it to {found.size} or more",
        )
    if share.protocol != found.share_protocol:
        yield Problem(
            where=f"{where}.protocol",
            what=f"is {share.protocol}, but the share `{found.name}` has protocol {found.share_protocol}: {back}",
        )
    # Manila's older versions return the name of the type, newer ones its ID.
    kind = next((each.name for each in types.values() if found.share_type in (each.name, each.id)), found.share_type)
    if share.type and share.type != kind:
        yield Problem(
            where=f"{where}.type", what=f"is `{share.type}`, but the share `{found.name}` has type `{kind}`: {back}"
        )
    network = next((each.name for each in networks.values() if each.id == found.share_network_id), None)
    if share.network and share.network != network:
        yield Problem(
            where=f"{where}.network",
            what=f"is `{share.network}`, but the share `{found.name}` is in {f'`{network}`' if network else 'none'}: "
            f"{back}",
        )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"
