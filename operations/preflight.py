"""Look before the first write: ``python -m operations.preflight -s roe`` tells what an environment lacks."""

import json
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Annotated

import typer

from config.environment import Environment
from config.loader import ConfigError, load_file
from config.phalanx import Phalanx
from operations import openstack_preflight, own_vault, vault_preflight
from operations.own_vault import Presence
from operations.problem import Problem
from phalanx import checkout
from phalanx import environment as phalanx_environment
from phalanx.checkout import Checkout
from phalanx.errors import PhalanxError

WORKERS = 20
"""More than there are questions: all are asked at once."""


class Questions:
    """Asks OpenStack, the Phalanx repository and Vault side by side, and changes nothing.

    All is asked as soon as this is made, in threads: the caller may do something else before it wants the answers.

    Args:
        environment: The environment.
        stack: Name of the stack.
        preview: Whether nothing is to be changed, so that credentials which may only look are no more than a warning.
    """

    def __init__(self, environment: Environment, stack: str, *, preview: bool = False) -> None:
        executor = ThreadPoolExecutor(WORKERS)
        self._openstack = executor.submit(openstack_preflight.check, environment, stack, executor)
        self._presence = executor.submit(own_vault.presence, environment, stack)
        self._phalanx = executor.submit(_phalanx, environment.phalanx)
        self._vault = executor.submit(self._ask_vault, environment, stack, preview=preview)

    def phalanx(self) -> tuple[Checkout, phalanx_environment.Environment]:
        """Return the checkout, and what it says of the environment.

        Raises:
            PhalanxError: The repository or the environment is not as it should be.
        """
        return self._phalanx.result()

    def presence(self) -> Presence:
        """Return how much there is of the stack's own Vault.

        Raises:
            ConnectionError: OpenStack does not answer, which is one of the `problems`.
        """
        return self._presence.result()

    def problems(self) -> list[Problem]:
        """Return all that is wrong, the fatal problems first; nothing if the environment can be deployed."""
        try:
            self.phalanx()
        except PhalanxError as error:
            found = [Problem(where="rsp:phalanx", what=problem) for problem in error.problems]
        else:
            found = self._vault.result()
        return sorted([*self._openstack.result(), *found], key=lambda problem: not problem.fatal)

    def _ask_vault(self, environment: Environment, stack: str, *, preview: bool) -> list[Problem]:
        """The checkout says which Vault and which mount."""
        _, target = self.phalanx()
        address = environment.vault.reached_at(target.vault_url)
        if deploy := environment.vault.deploy:
            try:
                missing = self.presence() is not Presence.THERE
            except ConnectionError:
                return []  # told by the questions to OpenStack
            problems = list(own_vault.check(deploy, target.vault_url))
            if problems or missing:
                return problems
        return list(vault_preflight.check(address, target, environment.vault, stack, preview=preview))


def _phalanx(settings: Phalanx) -> tuple[Checkout, phalanx_environment.Environment]:
    tree = checkout.resolve(settings.repository, settings.revision)
    return tree, phalanx_environment.load(tree.path, settings.environment)


app = typer.Typer(add_completion=False)


@app.command()
def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the problems as JSON")] = False,
) -> None:
    """Tell everything that would stop the deployment of a stack, before anything is made."""
    started = time.monotonic()
    try:
        problems = Questions(load_file(Path(f"Pulumi.{stack}.yaml")), stack).problems()
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
