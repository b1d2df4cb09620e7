"""Brings each service's databases to the schema of the package that is installed."""

from collections.abc import Mapping
from typing import Final

from sandbox.cloud import configuration, packages, python_packages
from sandbox.cloud.commands import run
from sandbox.cloud.done import once

Command = tuple[str, ...]

SERVICES: Final[Mapping[str, str]] = {
    "nova": "python3-nova",
    "neutron": "python3-neutron",
    "cinder": "python3-cinder",
    "octavia": "python3-octavia",
    "magnum": "python3-magnum",
    "glance": "python3-glance",
    "placement": "python3-placement",
}
"""Services with databases but Keystone, the slowest first, and the package that brings the schema."""


def migrate_identity() -> None:
    """Bring Keystone's database up to date."""
    _migrate("keystone", "python3-keystone")


def migrate(service: str) -> None:
    """Bring the databases of one of `SERVICES` up to date."""
    _migrate(service, SERVICES[service])


def _migrate(service: str, package: str) -> None:
    once(f"schema-{service}", packages.versions([package]), lambda: _run_all(service))


def _run_all(service: str) -> None:
    for command in commands(service):
        run(*command, log=f"schema-{service}", env=python_packages.ENVIRONMENT)
    if service == "nova" and not _has_cell():
        run(*_nova("cell_v2", "create_cell", "--name", _CELL), log="schema-nova", env=python_packages.ENVIRONMENT)


def commands(service: str) -> list[Command]:
    """The commands that migrate a service's databases, in their order; none harms when run again."""
    match service:
        case "nova":
            return [_nova("api_db", "sync"), _nova("cell_v2", "map_cell0"), _nova("db", "sync")]
        case "neutron":
            return [("neutron-db-manage", *_config("neutron.conf"), "upgrade", "heads")]
        case "octavia":
            return [("octavia-db-manage", *_config("octavia.conf"), "upgrade", "head")]
        case "magnum":
            return [("magnum-db-manage", *_config("magnum.conf"), "upgrade")]
        case "glance":
            return [("glance-manage", *_config("glance-api.conf"), "db_sync")]
        case "keystone":
            return [("keystone-manage", *_config("keystone.conf"), "db_sync")]
        case "placement":
            return [("placement-manage", *_config("placement/placement.conf"), "db", "sync")]
        case "cinder":
            return [("cinder-manage", *_config("cinder.conf"), "db", "sync")]
        case _:
            raise ValueError(f"no service with databases is called {service}")


_CELL: Final = "cell1"


def discover_host() -> None:
    """Put the one compute host, which must have reported to the cell, into Nova's map of hosts."""
    run(*_nova("cell_v2", "discover_hosts"), log="schema-nova", env=python_packages.ENVIRONMENT)


def _has_cell() -> bool:
    cells = run(*_nova("cell_v2", "list_cells"), log="schema-nova", env=python_packages.ENVIRONMENT)
    return f" {_CELL} " in cells


def _nova(*arguments: str) -> Command:
    return ("nova-manage", *_config("nova.conf"), *arguments)


def _config(name: str) -> Command:
    return ("--config-file", str(configuration.path(name)))
