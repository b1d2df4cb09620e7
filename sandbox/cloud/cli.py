"""The commands `python -m sandbox cloud ...`."""

import os
from typing import Annotated

import typer
from rich.console import Console

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.progress import Phases

app = typer.Typer(help="Manage the OpenStack cloud on this machine.", no_args_is_help=True)


@app.callback()
def require_supported_machine() -> None:
    """Manage the OpenStack cloud on this machine."""
    from sandbox.cloud import machine

    machine.require_supported()


@app.command()
def up() -> None:
    """Start the cloud, installing missing packages; restart what has failed."""
    from sandbox.cloud import up as cloud

    with Phases() as phases:
        cloud.up(phases)


@app.command()
def down() -> None:
    """Stop all processes of the sandbox and keep its data."""
    from sandbox.cloud import down as cloud

    with Phases() as phases:
        cloud.down(phases)


@app.command()
def reset(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False) -> None:
    """Stop all processes and delete all data: clouds, clusters, secrets and Pulumi stacks."""
    from sandbox.cloud import down as cloud

    if not yes:
        typer.confirm(f"Delete all data of the sandbox in {paths.HOME}?", abort=True)
    with Phases() as phases:
        cloud.reset(phases)


@app.command()
def status(*, json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show the state of all services; exit with 1 if one does not work."""
    from sandbox.cloud.status import rows
    from sandbox.status import State, as_json, table

    found = rows()
    if json:
        typer.echo(as_json(found))
    else:
        Console().print(table(found))
    if any(row.state is not State.RUNNING for row in found):
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="Name of a service, as shown by `status`.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Show new lines as they are written.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="Number of lines to show from the end.")] = 50,
) -> None:
    """Show the log of a service."""
    from sandbox.cloud.logs import files

    known = files()
    if name not in known:
        raise SandboxError(f"no log is named {name!r}; existing logs: {', '.join(known) or 'none'}")
    options = [f"--lines={lines}", *(["--follow=name", "--retry"] if follow else [])]
    os.execvp("tail", ["tail", *options, str(known[name])])  # noqa: S606 - tail handles Ctrl-C
