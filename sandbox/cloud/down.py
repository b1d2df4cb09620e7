"""Stops the cloud and deletes its data."""

import shutil
from pathlib import Path

from sandbox import cluster, paths, site_certificate, vault
from sandbox.cloud import openstack_services, passwords, services
from sandbox.cloud.service import Service
from sandbox.cloud.up import exclusive
from sandbox.process import recorded, stop_concurrently
from sandbox.progress import Phases


def down(phases: Phases) -> None:
    """Stop all processes and keep the data, which `up` uses again."""
    with exclusive():
        _stop_everything(phases)


def reset(phases: Phases) -> None:
    """Stop all processes and delete all data of the sandbox, except for packages and tools."""
    with exclusive():
        _stop_everything(phases)
        with phases.phase("Deleting all data"):
            for path in _data_paths():
                if path.is_dir():
                    shutil.rmtree(path)
                else:
                    path.unlink(missing_ok=True)


def _stop_everything(phases: Phases) -> None:
    backends = services.backends()
    names = {service.name for service in backends}
    with phases.phase("OpenStack services"):
        _stop([service for service in services.every() if service.name not in names])
    # After magnum-conductor, which starts a cluster that is being created or updated.
    with phases.phase("Kubernetes clusters and OpenBao"):
        cluster.stop_all()
        vault.down()
    with phases.phase("Database, message queue and OVN"):
        _stop(backends)
        stop_concurrently(recorded(paths.RUN))  # started by another version of the sandbox
    shutil.rmtree(openstack_services.OCTAVIA_SOCKETS, ignore_errors=True)


def _stop(group: list[Service]) -> None:
    stop_concurrently([service.process for service in reversed(group)], grace=10)


def _data_paths() -> list[Path]:
    """Return the paths to delete: `paths.HOME` may be a directory with other content."""
    return [
        *(paths.ETC, paths.LOG, paths.RUN, paths.DATA, paths.LIB),
        *(paths.CLUSTERS, paths.GIT.parent, paths.STACKS, paths.VAULT, paths.CLOUDS_YAML),
        *(passwords.FILE, site_certificate.FILE),
    ]
