"""The sandbox's command line: `python -m sandbox --help`."""

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from sandbox import environment, program
from sandbox.cloud.cli import app as cloud
from sandbox.cluster.cli import app as cluster
from sandbox.errors import SandboxError

app = typer.Typer(
    help="Run a cloud on this machine, and the program against it.",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,  # local variables may contain passwords
)
app.add_typer(cloud, name="cloud")
app.add_typer(cluster, name="cluster")
program.register(app)


@app.command()
def env(
    admin: Annotated[bool, typer.Option("--admin", help="Use the administrator of the cloud and of Vault.")] = False,
) -> None:
    """Print the environment variables for clients of the sandbox: `eval "$(python -m sandbox env)"`."""
    from sandbox import tools

    tools.ensure(report=lambda line: typer.echo(line, err=True))
    typer.echo(environment.export_lines(environment.administrators() if admin else environment.variables()))


def main() -> None:
    """Run the command line; print an expected error as one message, without a traceback."""
    try:
        app()
    except SandboxError as error:
        Console(stderr=True, highlight=False).print(f"[bold red]Error:[/] {escape(str(error))}", soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
