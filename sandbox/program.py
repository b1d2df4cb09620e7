"""The commands that run the program in the sandbox: preview, up, refresh, outputs, destroy."""

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

Stack = Annotated[str, typer.Option("--stack", "-s", help="Whose Pulumi.<stack>.yaml to run the program with.")]
Json = Annotated[bool, typer.Option("--json", help="For machines: one JSON object on standard output.")]
ConfigFile = Annotated[
    Path | None,
    typer.Option("--config-file", exists=True, dir_okay=False, help="Read the stack's configuration from this file."),
]
Debug = Annotated[bool, typer.Option("--debug", help="Log all that happens to standard error; never a secret.")]


def register(app: typer.Typer) -> None:
    """Add the commands to the sandbox's."""
    for command in (preview, up, refresh, outputs, destroy):
        app.command()(command)


def preview(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Show what `up` would change."""
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        _conclude(cli.preview(), as_json=json)


def up(*, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False) -> None:
    """Bring up the cloud, if it is not, and then the platform; end with what there is and how long it took."""
    from sandbox import summary  # noqa: PLC0415 - each command imports what it needs alone
    from sandbox.cloud import up as cloud  # noqa: PLC0415
    from sandbox.progress import Phases  # noqa: PLC0415

    with Phases() as phases:
        cloud.up(phases)
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        outcome = cli.up()
        if not outcome.errors and not json:
            Console().print(summary.of(cli.outputs(), {**phases.durations, "pulumi up": outcome.seconds}))
    _conclude(outcome, as_json=json)


def refresh(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Read every real resource, and record what has changed behind the program's back."""
    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        _conclude(cli.refresh(), as_json=json)


def outputs(
    *,
    stack: Stack = "sandbox",
    json: Json = False,
    show_secrets: Annotated[bool, typer.Option("--show-secrets", help="Do not mask the secret ones.")] = False,
) -> None:
    """Print the stack's outputs."""
    from sandbox import summary  # noqa: PLC0415

    with _cli(stack, quiet=True) as cli:
        found = cli.outputs(show_secrets=show_secrets)
    if json:
        _print_json(found)
    else:
        Console().print(summary.outputs_table(found))


def destroy(
    *, stack: Stack = "sandbox", json: Json = False, config_file: ConfigFile = None, debug: Debug = False
) -> None:
    """Remove everything that is not protected, then tell what is left and why; that alone is no failure."""
    from sandbox import summary  # noqa: PLC0415

    with _cli(stack, quiet=json, config_file=config_file, debug=debug) as cli:
        outcome = cli.destroy()
    if outcome.left and not json:
        Console().print(summary.left_table(outcome.left))
    _conclude(outcome, as_json=json)


@contextmanager
def _cli(stack: str, *, quiet: bool, config_file: Path | None = None, debug: bool = False) -> Iterator["PulumiCli"]:
    """The CLI on one stack, in an environment where every client finds the sandbox."""
    from sandbox import tools  # noqa: PLC0415
    from sandbox.pulumi_cli import Options, PulumiCli  # noqa: PLC0415

    if debug:
        logging.basicConfig(level=logging.DEBUG, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    console = Console(stderr=True, highlight=False)
    tools.ensure(report=lambda line: console.print(line, soft_wrap=True))
    options = Options(quiet=quiet, debug=debug, config_file=config_file.resolve() if config_file else None)
    # The Kubernetes provider leaves the kubeconfigs that it writes there behind.
    with tempfile.TemporaryDirectory(prefix="rsp-sandbox-") as temporary, environment.exported(TMPDIR=temporary):
        yield PulumiCli(stack, console, options)


def _conclude(outcome: "Outcome", *, as_json: bool) -> None:
    if as_json:
        _print_json(outcome.as_json())
    if outcome.errors:
        if as_json:
            raise typer.Exit(1)
        raise SandboxError(
            "\n".join(outcome.errors) + "\nWhat was done is recorded: the same command goes on from here."
        )


def _print_json(document: object) -> None:
    json.dump(document, sys.stdout, indent=2)
    sys.stdout.write("\n")
