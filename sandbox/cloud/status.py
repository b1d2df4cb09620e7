"""How each service of the cloud does."""

from concurrent.futures import ThreadPoolExecutor

from sandbox.cloud import packages, services
from sandbox.cloud.service import Service
from sandbox.process import memory
from sandbox.status import Row, State


def rows() -> list[Row]:
    """A row for each service, in the order in which they start."""
    every = services.every()
    versions = packages.versions({service.package for service in every})
    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        return list(pool.map(lambda service: row(service, versions.get(service.package, "")), every))


def row(service: Service, version: str) -> Row:
    """The row of one service.

    Args:
        service: The service to look at.
        version: Version of the package that its code comes from.
    """
    pid = service.process.alive()
    if pid is None:
        state = State.STOPPED
    else:
        state = State.RUNNING if service.answers() else State.UNRESPONSIVE
    return Row(
        service=service.name,
        state=state,
        port=service.port.value if service.port else None,
        version=version,
        memory=memory(pid) if pid else 0,
    )
