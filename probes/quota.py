"""Comparison of what a stack requires with a project's quotas; plain arithmetic without network access."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, NamedTuple

from probes import text_table

_SET: Final = "openstack quota set"
_SET_SHARES: Final = "openstack share quota set"
_SET_BALANCERS: Final = "openstack loadbalancer quota set"
_SET_CLUSTERS: Final = "openstack coe quotas update --resource Cluster"
"""Commands of python-openstackclient, python-manilaclient, python-octaviaclient and python-magnumclient for
administrators."""
_PLATFORM: Final = "Rubin Science Platform"


class Resource(NamedTuple):
    """A resource with a quota."""

    title: str
    """Name in reports, with its unit."""
    key: str
    """Key in a platform's configuration that determines most of what is required."""
    command: str
    """Command that sets the quota."""
    option: str
    """Option of the command for the limit."""


RESOURCES: Final[Mapping[str, Resource]] = {
    "instances": Resource("servers", "clusters", _SET, "--instances"),
    "cores": Resource("cores", "clusters", _SET, "--cores"),
    "ram": Resource("MiB of memory", "clusters", _SET, "--ram"),
    "server_groups": Resource("server groups", "clusters.NAME.nodeGroups", _SET, "--server-groups"),
    "server_group_members": Resource("members of a server group", "clusters", _SET, "--server-group-members"),
    "volumes": Resource("volumes", "nfs.volumes", _SET, "--volumes"),
    "gigabytes": Resource("GiB of volumes", "nfs.volumes", _SET, "--gigabytes"),
    "per_volume_gigabytes": Resource("GiB of one volume", "nfs.volumes", _SET, "--per-volume-gigabytes"),
    "snapshots": Resource("snapshots", "backups.keep", _SET, "--snapshots"),
    "backups": Resource("backups", "backups.keep", _SET, "--backups"),
    "backup_gigabytes": Resource("GiB of backups", "backups.keep", _SET, "--backup-gigabytes"),
    "shares": Resource("shares", "shares", _SET_SHARES, "--shares"),
    "share_gigabytes": Resource("GiB of shares", "shares", _SET_SHARES, "--gigabytes"),
    "networks": Resource("networks", "network", _SET, "--networks"),
    "subnets": Resource("subnets", "network", _SET, "--subnets"),
    "routers": Resource("routers", "network", _SET, "--routers"),
    "ports": Resource("ports", "clusters", _SET, "--ports"),
    "security_groups": Resource("security groups", "clusters", _SET, "--secgroups"),
    "security_group_rules": Resource("security group rules", "clusters", _SET, "--secgroup-rules"),
    "floating_ips": Resource("floating IPs", "clusters.NAME.publicApi", _SET, "--floating-ips"),
    "load_balancers": Resource("load balancers", "clusters.NAME.publicApi", _SET_BALANCERS, "--loadbalancer"),
    "listeners": Resource("listeners", "clusters.NAME.publicApi", _SET_BALANCERS, "--listener"),
    "pools": Resource("pools", "clusters.NAME.publicApi", _SET_BALANCERS, "--pool"),
    "health_monitors": Resource("health monitors", "ingress.healthMonitors", _SET_BALANCERS, "--healthmonitor"),
    "members": Resource("members of pools", "clusters", _SET_BALANCERS, "--member"),
    "clusters": Resource("clusters", "clusters", _SET_CLUSTERS, "--hard-limit"),
}
"""Resources by their name in OpenStack's quotas."""


_TYPED: Final[Mapping[str, str]] = {
    "volumes": "--volume-type",
    "gigabytes": "--volume-type",
    "shares": "--share-type",
    "share_gigabytes": "--share-type",
}
"""Options of the commands for resources that also have quotas for each type, as ``gigabytes_TYPE`` in Cinder's API."""


def resource(name: str) -> Resource:
    """Return a resource of `RESOURCES`, or that of a type of volumes or shares, such as ``gigabytes_TYPE``."""
    kind = _kind(name)
    every, type_ = RESOURCES[kind], name.removeprefix(kind).removeprefix("_")
    if not type_:
        return every
    command = f"{every.command} {_TYPED[kind]} {shlex.quote(type_)}"
    return every._replace(title=f"{every.title}, type {type_}", command=command)


def _kind(name: str) -> str:
    """Return the resource without a type."""
    return name if name in RESOURCES else next(each for each in _TYPED if name.startswith(f"{each}_"))


@dataclass(frozen=True, kw_only=True)
class Allowance:
    """A quota of a project."""

    limit: int
    """Limit; negative if unlimited."""
    used: int | None
    """Current usage; None if it was not counted, as the quota is unlimited."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """What a stack requires of a resource, and the project's quota."""

    name: str
    """Name of the resource in OpenStack's quotas."""
    needed: int | None
    """Required amount; None if it is not known."""
    allowance: Allowance | None
    """The quota; None if it is not known."""
    key: str
    """Key in the configuration that determines most of what is required."""
    first: bool
    """Whether no resources of the stack exist yet, except for `kept` ones. Otherwise current usage includes them, and
    the required amount is compared with the limit only."""
    kept: int = 0
    """How much of the current usage is the stack's although it does not exist: backups outlive it."""

    @property
    def short(self) -> int:
        """How much the quota is too small."""
        if self.needed is None or self.allowance is None or self.allowance.limit < 0:
            return 0
        others = max(0, (self.allowance.used or 0) - self.kept) if self.first else 0
        return max(0, others + self.needed - self.allowance.limit)

    @property
    def limit(self) -> int | None:
        """The limit; None if it is not known."""
        return self.allowance.limit if self.allowance else None

    @property
    def used(self) -> int | None:
        """Current usage; None if it is not known."""
        return self.allowance.used if self.allowance else None

    @property
    def sufficient(self) -> int:
        """The lowest sufficient limit, if the current one is not."""
        return (self.limit or 0) + self.short


@dataclass(frozen=True, kw_only=True)
class Project:
    """An OpenStack project, as its administrators know it."""

    name: str
    id: str
    region: str | None = None


def compare(
    needed: Mapping[str, int | None],
    allowances: Mapping[str, Allowance],
    *,
    first: bool,
    kept: Mapping[str, int] | None = None,
    keys: Mapping[str, str] | None = None,
) -> list[Row]:
    """Return one row for each required resource.

    Args:
        needed: Amounts that the stack requires.
        allowances: The project's quotas, as far as they are known.
        first: As for `Row`.
        kept: As for `Row`, by resource.
        keys: Key in the configuration by resource without type, where it is not that of `RESOURCES`.
    """
    return [
        Row(
            name=name,
            needed=amount,
            allowance=allowances.get(name),
            key=(keys or {}).get(_kind(name), resource(name).key),
            first=first,
            kept=(kept or {}).get(name, 0),
        )
        for name, amount in needed.items()
    ]


def table(rows: Sequence[Row]) -> list[str]:
    """Return the lines of a table of resources, with a dash for what is not known; without quotas if none is known."""
    columns: dict[str, list[str]] = {
        "resource": [resource(row.name).title for row in rows],
        "needed": [_text(row.needed) for row in rows],
    }
    if any(row.allowance for row in rows):
        columns["used"] = [_text(row.used) for row in rows]
        columns["limit"] = ["unlimited" if (row.limit or 0) < 0 else _text(row.limit) for row in rows]
        columns["short"] = [_text(row.short or None) for row in rows]
    columns["depends on"] = [row.key for row in rows]
    numbers = range(1, len(columns) - 1)
    return text_table.lines([[*columns], *map(list, zip(*columns.values(), strict=True))], right=numbers)


def request(rows: Iterable[Row], project: Project, stack: str, what: str = _PLATFORM) -> Iterator[str]:
    """Yield the lines of a message to the cloud's administrators, with the commands that raise the quotas.

    Args:
        rows: Resources whose quota is too small.
        project: The project.
        stack: Name of the stack.
        what: What it deploys.
    """
    region = f" in region {project.region}" if project.region else ""
    yield f"Please raise the quotas of project {project.name} (ID {project.id}){region}"
    yield f"for the {what} (stack {stack}):"
    short = sorted(rows, key=lambda row: resource(row.name).command)
    for command, group in groupby(short, key=lambda row: resource(row.name).command):
        options = " ".join(f"{resource(row.name).option} {row.sufficient}" for row in group)
        owner = f"--project-id {project.id}" if command == _SET_CLUSTERS else project.id
        yield f"  {command} {options} {owner}"


def refusal(rows: Iterable[Row], project: Project, stack: str, what: str = _PLATFORM) -> str:
    """Return the table of the resources whose quota is too small, and the message to administrators, or an empty text.

    Args:
        rows: All resources.
        project: The project.
        stack: Name of the stack.
        what: What it deploys.
    """
    short = [row for row in rows if row.short]
    if not short:
        return ""
    own = any(row.kept or not row.first for row in short)
    note = "" if not own else " (used includes this stack's resources, as needed does)"
    lines = [
        f"is too small for this stack{note}:",
        *(f"  {line}" for line in table(short)),
        "Reduce the size of the stack, or send this to the cloud's administrators:",
        *(f"  {line}" for line in request(short, project, stack, what)),
    ]
    return "\n".join(lines)


def _text(value: int | None) -> str:
    return "-" if value is None else str(value)
