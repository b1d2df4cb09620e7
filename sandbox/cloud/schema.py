"""Migrates each service's databases to the schema of the installed package."""

from collections.abc import Mapping
from typing import Final

from sandbox.cloud import configuration, database, packages, python_packages
from sandbox.cloud.commands import run
from sandbox.cloud.done import once, was_done

Command = tuple[str, ...]

_CELL: Final = "cell1"


def _config(name: str) -> Command:
    return ("--config-file", str(configuration.path(name)))


def _nova(*arguments: str) -> Command:
    return ("nova-manage", *_config("nova.conf"), *arguments)


_COMMANDS: Final[Mapping[str, tuple[Command, ...]]] = {
    "keystone": (("keystone-manage", *_config("keystone.conf"), "db_sync"),),
    "placement": (("placement-manage", *_config("placement/placement.conf"), "db", "sync"),),
    "nova": (_nova("api_db", "sync"), _nova("cell_v2", "map_cell0"), _nova("db", "sync")),
    "neutron": (("neutron-db-manage", *_config("neutron.conf"), "upgrade", "heads"),),
    "cinder": (("cinder-manage", *_config("cinder.conf"), "db", "sync"),),
    "glance": (("glance-manage", *_config("glance-api.conf"), "db_sync"),),
    "octavia": (("octavia-db-manage", *_config("octavia.conf"), "upgrade", "head"),),
    "magnum": (("magnum-db-manage", *_config("magnum.conf"), "upgrade"),),
    "manila": (("manila-manage", *_config("manila.conf"), "db", "sync"),),
}
"""Idempotent migration commands of each service, in order."""


IDENTITY: Final = "keystone"
OTHERS: Final = ("nova", "neutron", "cinder", "octavia", "manila", "magnum", "glance", "placement")
"""Slowest first, as they run concurrently."""


def migrate(service: str) -> None:
    """Migrate a service's databases unless that was done for the installed version of its package."""
    step = f"schema-{service}"
    if not was_done(step):
        # MariaDB cannot roll back DDL, so an interrupted first migration cannot continue.
        database.empty(service)
    once(step, packages.versions([f"python3-{service}"]), lambda: _run_all(service))


def _run_all(service: str) -> None:
    for command in _COMMANDS[service]:
        run(*command, log=f"schema-{service}", env=python_packages.ENVIRONMENT)
    if service == "nova" and not _has_cell():
        run(*_nova("cell_v2", "create_cell", "--name", _CELL), log="schema-nova", env=python_packages.ENVIRONMENT)


def discover_host() -> None:
    """Add the compute host to Nova's host mappings; it must have reported to the cell."""
    run(*_nova("cell_v2", "discover_hosts"), log="schema-nova", env=python_packages.ENVIRONMENT)


def _has_cell() -> bool:
    cells = run(*_nova("cell_v2", "list_cells"), log="schema-nova", env=python_packages.ENVIRONMENT)
    return f" {_CELL} " in cells
