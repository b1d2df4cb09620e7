"""The quotas of an OpenStack project, and how much of them is used."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from config.names import LOAD_BALANCER, cloud_name
from config.stack_config import StackConfig
from config.vault_stack import VaultStackConfig
from probes import cinder_backups, openstack_api, quota, vault_server_needs
from probes.needs import Flavor, Volumes, needs
from probes.quota import Allowance, Project, Row

if TYPE_CHECKING:
    from openstack.connection import Connection

_NEUTRON: Final = ("networks", "subnets", "routers", "ports", "security_groups", "security_group_rules", "floating_ips")
_OCTAVIA: Final = ("load_balancers", "listeners", "pools", "health_monitors")

_OF_SHARE_TYPES: Final[Mapping[str, str]] = {"X-OpenStack-Manila-API-Version": "2.39"}
"""Headers for Manila's quotas of share types."""


def allowances(
    connection: "Connection", executor: Executor, services: Iterable[Callable[["Connection"], Mapping[str, Allowance]]]
) -> dict[str, Allowance]:
    """Return the quotas of the connection's project, by resource, as far as the cloud shows them.

    Args:
        connection: The connection.
        executor: Runs the requests to the services concurrently.
        services: Functions that ask one service each.

    Raises:
        openstack.exceptions.SDKException: A service cannot be reached.
    """
    found: dict[str, Allowance] = {}
    for part in executor.map(lambda service: service(connection), services):
        found |= part
    return found


@dataclass(frozen=True, kw_only=True)
class Quotas:
    """The quotas of a stack's project, and what its services say about the stack."""

    allowances: Mapping[str, Allowance]
    """Quotas by resource."""
    first: bool
    """As for `quota.Row`."""
    kept: Mapping[str, int]
    """As for `quota.Row`, by resource."""
    switching: bool
    """Whether the load balancer changes its owner, so that there are two for some time."""
    default_type: str
    """Default volume type."""
    share_types: Mapping[str, str]
    """Type of each share by its name, as far as it is known."""

    def compare(self, config: StackConfig, flavors: Mapping[str, Flavor], claimed: Sequence[Volumes] = ()) -> list[Row]:
        """Compare them with what the stack requires.

        Args:
            config: The stack configuration.
            flavors: Sizes of flavors by name.
            claimed: Volumes of the applications' claims.
        """
        needed = needs(
            config,
            flavors,
            claimed=claimed,
            default_type=self.default_type,
            share_types=self.share_types,
            switching=self.switching,
        )
        return quota.compare(needed, self.allowances, first=self.first, kept=self.kept)


def read(
    config: StackConfig,
    stack: str,
    connection: "Connection",
    executor: Executor,
    existing: Callable[[], bool],
) -> Quotas:
    """Return the quotas of a stack's project.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        connection: The connection.
        executor: Runs the requests to the services concurrently.
        existing: Returns whether the stack has something in the project.

    Raises:
        openstack.exceptions.SDKException: A service cannot be reached.
    """
    default_type = executor.submit(_default_volume_type, connection)
    deployed = executor.submit(existing)
    balancers = executor.submit(_balancers, connection)
    share_types = executor.submit(_share_types, connection, config)
    services = [*_SERVICES, _magnum, lambda connection: _octavia(connection, balancers.result())]
    if config.shares:
        services.append(lambda connection: _manila(connection, share_types.result().values()))
    found = allowances(connection, executor, services)
    first = not deployed.result()
    names = balancers.result()
    ours = cloud_name(stack, LOAD_BALANCER) in (names or ())
    return Quotas(
        allowances=found,
        first=first,
        kept=_kept(connection, stack) if first and config.backups.kind != "none" else {},
        switching=not first and names is not None and ours != (config.ingress.mode == "octavia"),
        default_type=default_type.result(),
        share_types=share_types.result(),
    )


def compare_vault(
    config: VaultStackConfig, stack: str, connection: "Connection", flavors: Mapping[str, Flavor], executor: Executor
) -> list[Row]:
    """Compare what the site's own Vault requires with the quotas of its project.

    Its region may have none of the services that only a platform requires.

    Args:
        config: The stack configuration.
        stack: Name of the stack.
        connection: The connection.
        flavors: Sizes of flavors by name.
        executor: Runs the requests to the services concurrently.

    Raises:
        openstack.exceptions.SDKException: A service cannot be reached.
    """
    volumes = {each.name for each in connection.block_storage.volumes()}
    first = cloud_name(stack, "vault-data", config.project) not in volumes
    needed = vault_server_needs.needs(config, flavors, default_type=_default_volume_type(connection))
    found = allowances(connection, executor, _SERVICES)
    return quota.compare(needed, found, first=first, keys=vault_server_needs.KEYS)


def project_of(connection: "Connection") -> Project:
    """Return the connection's project."""
    project = connection.current_project
    return Project(name=project.name, id=str(connection.current_project_id), region=connection.config.region_name)


def _kept(connection: "Connection", stack: str) -> dict[str, int]:
    """Return the usage by the snapshots and backups of a stack, by resource; Cinder counts each as its volume."""
    found = cinder_backups.find(connection, stack)
    return {
        "snapshots": sum(each.kind == "snapshot" for each in found),
        "backups": sum(each.kind == "backup" for each in found),
        "backup_gigabytes": sum(each.size for each in found if each.kind == "backup"),
    }


def _balancers(connection: "Connection") -> list[str] | None:
    """Return the names of the load balancers; None if Octavia refuses the user, which `octavia_preflight` reports."""
    from openstack.exceptions import ForbiddenException

    try:
        return [each.name for each in connection.load_balancer.load_balancers()]
    except ForbiddenException:
        return None


def _default_volume_type(connection: "Connection") -> str:
    """Return the name of the cloud's default volume type; empty if it has none."""
    answer = openstack_api.get(connection.block_storage, "/types/default")
    return str(answer["volume_type"]["name"]) if answer else ""


def _share_types(connection: "Connection", config: StackConfig) -> dict[str, str]:
    """Return the type of each share by its name, as far as it is known."""
    untyped = [name for name, share in config.shares.items() if share.type is None]
    answer = openstack_api.get(connection.shared_file_system, "/types/default") if untyped else None
    default = str(answer["share_type"]["name"]) if answer else None
    return {name: found for name, share in config.shares.items() if (found := share.type or default)}


def _nova(connection: "Connection") -> dict[str, Allowance]:
    limits = connection.compute.get_limits().absolute
    return {
        "instances": Allowance(limit=limits.instances, used=limits.instances_used),
        "cores": Allowance(limit=limits.total_cores, used=limits.total_cores_used),
        "ram": Allowance(limit=limits.total_ram, used=limits.total_ram_used),
        "server_groups": Allowance(limit=limits.server_groups, used=limits.server_groups_used),
        # A limit of each group, as that of the size of a volume below.
        "server_group_members": Allowance(limit=limits.server_group_members, used=0),
    }


def _cinder(connection: "Connection") -> dict[str, Allowance]:
    limits = connection.block_storage.get_limits().absolute
    return {
        "volumes": Allowance(limit=limits.max_total_volumes, used=limits.total_volumes_used),
        "gigabytes": Allowance(limit=limits.max_total_volume_gigabytes, used=limits.total_gigabytes_used),
        "snapshots": Allowance(limit=limits.max_total_snapshots, used=limits.total_snapshots_used),
        "backups": Allowance(limit=limits.max_total_backups, used=limits.total_backups_used),
        "backup_gigabytes": Allowance(limit=limits.max_total_backup_gigabytes, used=limits.total_backup_gigabytes_used),
    }


def _cinder_types(connection: "Connection") -> dict[str, Allowance]:
    """Return Cinder's quotas of volume types and of the size of one volume."""
    path = f"/os-quota-sets/{connection.current_project_id}?usage=true"
    quotas = _shown(lambda: openstack_api.get(connection.block_storage, path)) or {"quota_set": {}}
    return {
        name: Allowance(limit=each["limit"], used=each["in_use"] + each["reserved"])
        for name, each in quotas["quota_set"].items()
        if name.startswith(("volumes_", "gigabytes_", "per_volume_"))
    }


def _manila(connection: "Connection", types: Iterable[str] = ()) -> dict[str, Allowance]:
    """Return Manila's quotas, and those of share types.

    Manila shows the project's limit for a type that has none of its own, which is left out here.
    """
    manila: Any = connection.shared_file_system
    limits = _shown(lambda: openstack_api.get(manila, "/limits"))
    if not limits:
        return {}
    absolute = limits["limits"]["absolute"]
    found = {
        "shares": Allowance(limit=absolute["maxTotalShares"], used=absolute["totalSharesUsed"]),
        "share_gigabytes": Allowance(
            limit=absolute["maxTotalShareGigabytes"], used=absolute["totalShareGigabytesUsed"]
        ),
    }
    for each in sorted(set(types)):
        path = f"/quota-sets/{connection.current_project_id}/detail?share_type={quote(each, safe='')}"
        quotas = (_shown(partial(openstack_api.get, manila, path, _OF_SHARE_TYPES)) or {}).get("quota_set", {})
        for name, key in (("shares", "shares"), ("share_gigabytes", "gigabytes")):
            if key in quotas and quotas[key]["limit"] != found[name].limit:
                used = quotas[key]["in_use"] + quotas[key]["reserved"]
                found[f"{name}_{each}"] = Allowance(limit=quotas[key]["limit"], used=used)
    return found


def _neutron(connection: "Connection") -> dict[str, Allowance]:
    quotas = connection.network.get_quota(str(connection.current_project_id), details=True)
    return {name: Allowance(limit=quotas[name]["limit"], used=quotas[name]["used"]) for name in _NEUTRON}


def _octavia(connection: "Connection", balancers: Sequence[str] | None) -> dict[str, Allowance]:
    """Return Octavia's quotas, which has no request for their usage.

    Args:
        connection: The connection.
        balancers: Names of the load balancers; None if they are not known.
    """
    octavia: Any = connection.load_balancer
    limits = _shown(lambda: octavia.get_quota(connection.current_project_id))
    if limits is None:
        return {}
    limited = {name: int(limits[name]) for name in (*_OCTAVIA, "members") if limits[name] is not None}

    def used(name: str) -> int | None:
        if limited[name] < 0:
            return None
        if name == "load_balancers":
            return None if balancers is None else len(balancers)
        if name == "members":
            return sum(len(pool.members or ()) for pool in octavia.pools())
        return sum(1 for _ in getattr(octavia, name)())

    return {name: Allowance(limit=limit, used=used(name)) for name, limit in limited.items()}


def _magnum(connection: "Connection") -> dict[str, Allowance]:
    """Return Magnum's quota, which is that of its configuration if the project has none of its own."""
    magnum = connection.container_infrastructure_management
    quota = _shown(lambda: openstack_api.get(magnum, f"/quotas/{connection.current_project_id}/Cluster"))
    if not quota:
        return {}
    return {"clusters": Allowance(limit=quota["hard_limit"], used=sum(1 for _ in magnum.clusters()))}


def _shown(ask: Callable[[], Any]) -> Any:
    """Return a service's answer, or None if it shows quotas to administrators only."""
    from openstack import exceptions

    try:
        return ask()
    except exceptions.HttpException:
        return None


_SERVICES: Final = (_nova, _cinder, _cinder_types, _neutron)
"""Functions for the services with quotas that each stack has."""
