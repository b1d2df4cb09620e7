"""Command ``preflight``: check whether a stack can be deployed."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from config.loader import ConfigError
from config.stack_config import StackConfig
from operations import secrets_status
from operations.needed_secrets import NeededSecrets
from operations.stack import Stack, StackName, applications, checked_configuration
from phalanx import sign_in
from phalanx.claims import Claim
from phalanx.errors import PhalanxError, Problems
from probes.preflight import Queries
from probes.problem import Problem, of_phalanx
from wiring import claimed_volumes, requirements


def main(
    stack: StackName,
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON")] = False,
) -> None:
    """Report all problems of OpenStack, Vault and the Phalanx repository that prevent a deployment; change nothing.

    Warnings are about settings of the Phalanx environment without the intended effect, and about what will need
    attention later. The printed callback URLs must be registered with the identity providers.
    """
    started = time.monotonic()
    callbacks: list[str] = []
    try:
        file = Path(f"Pulumi.{stack}.yaml")
        config, plain = checked_configuration(stack)
        queries = Queries(config, stack)
        in_applications, callbacks, claims = _check_applications(config, stack, queries)
        found = [
            *queries.problems(claims),
            *in_applications,
            *(Problem(where=file.name, what=each, fatal=False) for each in plain),
        ]
        problems = sorted(found, key=lambda problem: not problem.fatal)
    except ConfigError as error:
        problems = [Problem(where="configuration", what=line) for line in str(error).splitlines()]
    if as_json:
        typer.echo(json.dumps([vars(problem) for problem in problems], indent=2))
    else:
        for problem in problems:
            typer.echo(str(problem), err=True)
        for line in callbacks:
            typer.echo(line)
        fatal = sum(problem.fatal for problem in problems)
        typer.echo(f"{stack}: {fatal or 'no'} problem{'s' if fatal > 1 else ''} ({time.monotonic() - started:.1f} s)")
    if any(problem.fatal for problem in problems):
        raise typer.Exit(1)


def _check_applications(
    config: StackConfig, stack: str, queries: Queries
) -> tuple[list[Problem], list[str], Sequence[Claim]]:
    """Return the problems of the environment's applications and of their secrets, callback URLs, and claims."""
    try:
        tree, environment = queries.phalanx()
    except PhalanxError:
        return [], [], ()  # one of the problems that `Queries` reports
    try:
        loaded = Stack(name=stack, config=config, checkout=tree, environment=environment)
        found = applications(loaded)
    except PhalanxError as error:
        return of_phalanx(error.problems), [], ()
    refused, missing = Problems(), list[Problem]()
    with refused.collected():
        claimed_volumes.find(config, found.claims)
    with refused.collected():
        missing += secrets_status.missing(NeededSecrets(stack=loaded, source=found))
    callbacks = list(sign_in.callbacks(environment, found.applications))
    warnings = [*found.warnings, *requirements.warnings(config, found.applications)]
    return [*of_phalanx(refused.found), *missing, *of_phalanx(warnings, fatal=False)], callbacks, found.claims
