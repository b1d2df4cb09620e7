"""Where the logs are."""

from pathlib import Path

from sandbox import paths
from sandbox.cluster.directory import clusters


def files() -> dict[str, Path]:
    """The log of each service by the name that `status` gives it, and of each setup step by its own, in that order."""
    found = {file.stem: file for file in sorted(paths.LOG.glob("*.log"))}
    for cluster in clusters():
        found |= {f"{cluster.description.name}/{file.stem}": file for file in sorted(cluster.logs.glob("*.log"))}
    return found
