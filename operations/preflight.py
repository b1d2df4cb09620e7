"""Look before the first write: ``python -m operations.preflight -s roe`` tells what an environment lacks."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from config.environment import Environment
from config.loader import ConfigError, load_file
from operations import openstack_preflight, own_vault, vault_preflight
from operations.own_vault import Presence
from operations.problem import Problem
from phalanx import checkout
from phalanx import environment as phalanx_environment
from phalanx.errors import PhalanxError

WORKERS = 12
"""More than there are questions: all are asked at once."""


def check(
    environment: Environment,
    stack: str,
    target: phalanx_environment.Environment | None = None,
    *,
    preview: bool = False,
) -> list[Problem]:
    """Ask OpenStack, the Phalanx repository and Vault side by side, and change nothing.

    Args:
        environment: The environment.
        stack: Name of the stack.
        target: What the Phalanx repository says of the environment, if the caller has read it already.
        preview: Whether nothing is to be changed, so that credentials which may only look are no more than a warning.

    Returns:
        All that is wrong, the fatal problems first; empty if the environment can be deployed.
    """
    with ThreadPoolExecutor(WORKERS) as executor:
        vault = executor.submit(_check_phalanx_and_vault, environment, stack, target, preview=preview)
        # From this thread, since it hands out work itself and waits for it.
        problems = openstack_preflight.check(environment, stack, executor) + vault.result()
    return sorted(problems, key=lambda problem: not problem.fatal)


def _check_phalanx_and_vault(
    environment: Environment,
    stack: str,
    target: phalanx_environment.Environment | None,
    *,
    preview: bool,
) -> list[Problem]:
    """The checkout says which Vault and which mount."""
    if target is None:
        try:
            tree = checkout.resolve(environment.phalanx.repository, environment.phalanx.revision)
            target = phalanx_environment.load(tree.path, environment.phalanx.environment)
        except PhalanxError as error:
            return [Problem(where="rsp:phalanx", what=problem) for problem in error.problems]
    address = environment.vault.reached_at(target.vault_url)
    if deploy := environment.vault.deploy:
        try:
            missing = own_vault.presence(environment, stack) is not Presence.THERE
        except ConnectionError:
            return []  # told by the questions to OpenStack
        problems = list(own_vault.check(deploy, target.vault_url))
        if problems or missing:
            return problems
    return list(vault_preflight.check(address, target, environment.vault, stack, preview=preview))


app = typer.Typer(add_completion=False)


@app.command()
def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON")] = False,
) -> None:
    """Tell everything that would stop the deployment of a stack, before anything is made."""
    started = time.monotonic()
    try:
        problems = check(load_file(Path(f"Pulumi.{stack}.yaml")), stack)
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


if __name__ == "__main__":
    app()
