"""Commands that run the program in the sandbox: preview, up, refresh, outputs, destroy."""

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from sandbox import environment
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from sandbox.pulumi_cli import Outcome, PulumiCli

Stack = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object to standard output.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option(
        "--config-file", exists=True, dir_okay=False, help="Configuration file to use instead of Pulumi.<stack>.yaml."
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Write debug logs to standard error, without secrets.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the sandbox's command line."""
    for command in (preview, up, refresh, outputs, destroy):
        app.command()(command)


def preview(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Show what `up` would change."""
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        _finish(cli.preview(), as_json=json)


def up(*, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False) -> None:
    """Bring up the cloud, deploy the platform, and print a summary."""
    from sandbox import summary
    from sandbox.cloud import up as cloud
    from sandbox.progress import Phases

    with Phases() as phases:
        cloud.up(phases)
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        outcome = cli.up()
        if not outcome.errors and not json:
            Console().print(summary.of(cli.outputs(), {**phases.durations, "pulumi up": outcome.seconds}))
    _finish(outcome, as_json=json)


def refresh(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Read all resources and record their changes in the state."""
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        _finish(cli.refresh(), as_json=json)


def outputs(
    *,
    stack: Stack = "sandbox",
    json: Json = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Show secret outputs in plaintext.")] = False,
) -> None:
    """Print the stack outputs."""
    from sandbox import summary

    with _cli(stack, quiet=True) as cli:
        found = cli.outputs(show_secrets=show_secrets)
    if json:
        _print_json(found)
    else:
        Console().print(summary.outputs_table(found))


def destroy(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Delete all resources that are not protected, and list the remaining ones with the reason."""
    from sandbox import summary

    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        outcome = cli.destroy()
    if outcome.left and not json:
        Console().print(summary.left_table(outcome.left))
    _finish(outcome, as_json=json)


@contextmanager
def _cli(stack: str, *, quiet: bool, config_file: Path | None = None, debug: bool = False) -> Iterator["PulumiCli"]:
    """Yield the CLI for a stack, with the environment variables of the sandbox set."""
    from sandbox import tools
    from sandbox.pulumi_cli import Options, PulumiCli

    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    console = Console(stderr=True, highlight=False)
    tools.ensure(report=lambda line: console.print(line, soft_wrap=True))
    options = Options(quiet=quiet, debug=debug, config_file=config_file.resolve() if config_file else None)
    # The Kubernetes provider does not delete the kubeconfigs that it writes to TMPDIR.
    with tempfile.TemporaryDirectory(prefix="rsp-sandbox-") as temporary, environment.exported(TMPDIR=temporary):
        yield PulumiCli(stack, console, options)


def _finish(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        _print_json(outcome.as_json())
    if outcome.errors:
        if as_json:
            raise typer.Exit(1)
        raise SandboxError(
            "\n".join(outcome.errors)
            + "\nCompleted operations are recorded in the state: run the same command again to continue."
        )


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
