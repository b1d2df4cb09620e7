"""Paths of the logs."""

from pathlib import Path

from sandbox import paths
from sandbox.cluster.directory import clusters


def files() -> dict[str, Path]:
    """Return the logs by name: those of services, named as in `status`, and those of setup steps."""
    found = {file.stem: file for file in sorted(paths.LOG.glob("*.log"))}
    for cluster in clusters():
        found |= {f"{cluster.description.name}/{file.stem}": file for file in sorted(cluster.logs.glob("*.log"))}
    return found
