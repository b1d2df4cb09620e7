"""State of the sandbox's services: OpenStack's, Vault, and those of the Kubernetes clusters."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from sandbox import cluster, vault
from sandbox.cloud import packages, services
from sandbox.cloud.service import Service, always
from sandbox.ports import Port
from sandbox.process import Process, memory
from sandbox.status import Row, State


def rows() -> list[Row]:
    """Return a row for each service, in the order in which they start."""
    every = services.every()
    versions = packages.versions({service.package for service in every})
    with ThreadPoolExecutor(max_workers=len(every)) as pool:
        openstack = pool.map(lambda service: service_row(service, versions.get(service.package, "")), every)
        return [*openstack, _vault_row(), *cluster.services()]


def service_row(service: Service, version: str) -> Row:
    """Return the row of a service of the cloud.

    Args:
        service: Service.
        version: Installed version of the service's package.
    """
    return Row(
        service=service.name,
        state=_state(service.process, service.answers),
        port=service.port.value if service.port else None,
        pid=service.process.alive(),
        version=version,
        memory=_memory(service.process),
    )


def _vault_row() -> Row:
    process = vault.process()
    return Row(
        service=process.name,
        state=_state(process, vault.ready),
        port=Port.VAULT.value,
        pid=process.alive(),
        version=str((vault.health() or {}).get("version", "")),
        memory=_memory(process),
    )


def _state(process: Process, answers: Callable[[], bool] = always) -> State:
    if not process.alive():
        return State.STOPPED
    return State.RUNNING if answers() else State.UNRESPONSIVE


def _memory(process: Process) -> int:
    pid = process.alive()
    return memory(pid) if pid else 0
