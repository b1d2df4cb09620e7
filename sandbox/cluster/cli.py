"""The commands `python -m sandbox cluster ...`, for Magnum's driver and for processes in a cluster."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cluster import lifecycle
from sandbox.cluster.directory import ClusterDirectory

app = typer.Typer(help="Manage Kubernetes clusters (used by Magnum's driver).", no_args_is_help=True)

Directory = Annotated[Path, typer.Argument(help="Directory of the cluster, with cluster.json, ca.crt and ca.key.")]


@app.command()
def up(directory: Directory) -> None:
    """Create or update the cluster according to cluster.json."""
    lifecycle.up(ClusterDirectory(directory))


@app.command()
def down(
    directory: Directory,
    delete: Annotated[bool, typer.Option("--delete", help="Also delete the directory.")] = False,
) -> None:
    """Stop all processes of the cluster."""
    lifecycle.down(ClusterDirectory(directory), delete=delete)


@app.command(hidden=True)
def agent(directory: Directory) -> None:
    """Simulate the cluster's add-ons, and run host processes for some Pods."""
    from sandbox.cluster.agent import run

    run(ClusterDirectory(directory))


@app.command("vault-secrets-operator", hidden=True)
def vault_secrets_operator(directory: Directory) -> None:
    """Simulate vault-secrets-operator with its Pod's environment and service account."""
    from sandbox.cluster.vault_secrets import run

    run(ClusterDirectory(directory))
