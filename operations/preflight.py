"""Command ``preflight``: check whether a stack can be deployed."""

import json
import time
from pathlib import Path
from typing import Annotated

import typer

from config.loader import ConfigError, load_file
from config.stack_config import StackConfig
from probes.preflight import Questions
from probes.problem import Problem


def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON")] = False,
) -> None:
    """Report all problems that would prevent the deployment of a stack; change nothing."""
    started = time.monotonic()
    try:
        problems = Questions(load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig), stack).problems()
    except ConfigError as error:
        problems = [Problem(where="configuration", what=line) for line in str(error).splitlines()]
    if as_json:
        typer.echo(json.dumps([vars(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            typer.echo(str(problem), err=True)
        fatal = sum(problem.fatal for problem in problems)
        typer.echo(f"{stack}: {fatal or 'no'} problem{'s' if fatal > 1 else ''} ({time.monotonic() - started:.1f} s)")
    if any(problem.fatal for problem in problems):
        raise typer.Exit(1)
