"""The commands `python -m sandbox cloud ...`."""

import os
from typing import Annotated

import typer
from rich.console import Console

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.progress import Phases

app = typer.Typer(help="The OpenStack cloud on this machine.", no_args_is_help=True)


@app.callback()
def require_supported_machine() -> None:
    """The OpenStack cloud on this machine."""
    from sandbox.cloud import machine  # noqa: PLC0415 - each command imports what it needs alone

    machine.require_supported()


@app.command()
def up() -> None:
    """Bring the cloud up, installing what is missing; running it again repairs what has died."""
    from sandbox.cloud import up as cloud  # noqa: PLC0415

    with Phases() as phases:
        cloud.up(phases)


@app.command()
def down() -> None:
    """Stop every process of the sandbox; its data stay."""
    from sandbox.cloud import down as cloud  # noqa: PLC0415

    with Phases() as phases:
        cloud.down(phases)


@app.command()
def reset(*, yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask, for scripts.")] = False) -> None:
    """Stop everything and remove all data: clouds, clusters, secrets and the state of the stacks."""
    from sandbox.cloud import down as cloud  # noqa: PLC0415

    if not yes:
        typer.confirm(f"Remove all data of the sandbox in {paths.HOME}?", abort=True)
    with Phases() as phases:
        cloud.reset(phases)


@app.command()
def status(*, json: Annotated[bool, typer.Option("--json", help="For machines.")] = False) -> None:
    """Show what runs; the exit status is 1 unless everything does."""
    from sandbox.cloud.status import rows  # noqa: PLC0415
    from sandbox.status import State, as_json, table  # noqa: PLC0415

    found = rows()
    if json:
        typer.echo(as_json(found))
    else:
        Console().print(table(found))
    if any(row.state is not State.RUNNING for row in found):
        raise typer.Exit(1)


@app.command()
def logs(
    name: Annotated[str, typer.Argument(help="A service, as `status` names it.")],
    *,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what is added.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", help="How many of the last lines.")] = 50,
) -> None:
    """Show the log of a service."""
    from sandbox.cloud.logs import files  # noqa: PLC0415

    known = files()
    if name not in known:
        raise SandboxError(f"there is no log of {name!r}; there are logs of: {', '.join(known) or 'nothing'}")
    options = [f"--lines={lines}", *(["--follow=name", "--retry"] if follow else [])]
    os.execvp("tail", ["tail", *options, str(known[name])])  # noqa: S606 - from here on Ctrl-C is tail's
