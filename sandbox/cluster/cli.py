"""`python -m sandbox cluster`: what Magnum's driver runs for each cluster, and the programs that live in one."""

from pathlib import Path
from typing import Annotated

import typer

from sandbox.cluster import lifecycle
from sandbox.cluster.directory import ClusterDirectory

app = typer.Typer(help="Kubernetes clusters; Magnum's driver is who calls most of these.", no_args_is_help=True)

Directory = Annotated[Path, typer.Argument(help="Directory of the cluster, with cluster.json, ca.crt and ca.key.")]


@app.command()
def up(directory: Directory) -> None:
    """Bring the cluster to what cluster.json says."""
    lifecycle.up(ClusterDirectory(directory))


@app.command()
def down(directory: Directory) -> None:
    """Stop every process of the cluster; its data stay."""
    lifecycle.down(ClusterDirectory(directory))


@app.command()
def status(directory: Directory) -> None:
    """List the cluster's processes."""
    cluster = ClusterDirectory(directory)
    for process in cluster.recorded():
        pid = process.alive()
        typer.echo(f"{process.name:<36}{f'running (pid {pid})' if pid else 'dead'}")


@app.command(hidden=True)
def agent(directory: Directory) -> None:
    """Run host processes for the Pods that have one, and the stand-ins of the cluster's add-ons."""
    from sandbox.cluster.agent import run  # noqa: PLC0415 -- the other commands need none of it

    run(ClusterDirectory(directory))


@app.command("vault-secrets-operator", hidden=True)
def vault_secrets_operator(directory: Directory) -> None:
    """Stand in for vault-secrets-operator, with what its Pod has: environment and service account."""
    from sandbox.cluster.vault_secrets import run  # noqa: PLC0415 -- as above

    run(ClusterDirectory(directory))
