"""The secrets of an environment: where each comes from, whether it is there, and a file to give those that are not."""

import json
import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from config.application_values import application_values
from config.environment import Environment as Configuration
from config.loader import load_file
from operations import vault_copy, vault_preflight, vault_secrets
from operations.problem import Problem
from phalanx import additions, application, charts, checkout, environment, render, secrets, static_secrets, undeclared
from phalanx.environment import Environment
from phalanx.errors import PhalanxError
from phalanx.secrets import Copied, Generated, Literal, Origin, Plan, SecretKey, Static, Wired

app = typer.Typer(help="The secrets of an environment: what it needs, from where, and whether it is there.")
app.command("copy")(vault_copy.main)
Stack = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")]


class State(StrEnum):
    """Whether a secret has a value."""

    CONFIGURED = "configured"
    IN_VAULT = "in Vault"
    COMES_WITH_UP = "comes with up"
    MISSING = "missing"
    UNKNOWN = "not known"


@dataclass(frozen=True, kw_only=True)
class Needs:
    """The secrets that the applications of a stack read."""

    stack: str
    configuration: Configuration
    environment: Environment
    plan: Plan

    def configured(self) -> set[SecretKey]:
        """Name those that the stack's configuration gives, itself or by the file that it names.

        Raises:
            PhalanxError: The file cannot be read or decrypted.
        """
        given = self.configuration.secrets
        named = {SecretKey(name, key) for name, keys in given.applications.items() for key in keys}
        return named.union(static_secrets.load(given.file).given() if given.file else ())

    @property
    def address(self) -> str:
        """URL of the Vault that holds them."""
        return str(self.configuration.vault.address or self.environment.vault_url).rstrip("/")


@app.command()
def template(
    stack: Stack,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to make, readable by you alone")] = None,
) -> None:
    """Write a file in which to fill in what a person must give, in the format of `phalanx secrets`."""
    text = static_secrets.template(needs(stack).plan.values())
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise typer.BadParameter(f"{output} is there already, and may hold secrets: it is left as it is") from None
    with open(descriptor, "w") as file:  # noqa: PTH123  # a path cannot be opened with a mode of its own
        file.write(text)
    typer.echo(f"Made {output}: fill in the values, and never commit it in clear.")


@app.command()
def status(
    stack: Stack,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON")] = False,
) -> None:
    """List every secret, where it comes from and whether it is there; exit with 1 if any is missing."""
    needed = needs(stack)
    problems, in_vault = look_into_vault(needed)
    states = judge(needed.plan, needed.configured(), in_vault)
    if as_json:
        typer.echo(json.dumps(_as_data(needed.plan, states, problems), indent=2))
    else:
        _print(needed, states, problems)
    if State.MISSING in states.values() or problems:
        raise typer.Exit(1)


def needs(stack: str) -> Needs:
    """Find out what the applications of a stack read.

    Raises:
        ConfigError: The stack's file is missing or wrong.
        PhalanxError: The Phalanx repository, its environment or its secret definitions are not as they should be.
    """
    configuration = load_file(Path(f"Pulumi.{stack}.yaml"))
    tree = checkout.resolve(configuration.phalanx.repository, configuration.phalanx.revision)
    found = environment.load(tree.path, configuration.phalanx.environment)
    configured = application_values(configuration)
    applications = application.load_enabled(tree.path, found, configured)
    declared = secrets.resolve(applications)
    manifests = render.applications(tree.path, found, repo_url=tree.repository, target_revision=tree.commit)
    unnamed = undeclared.find(charts.render_all(tree.path, manifests, configured), found.vault_path_prefix, declared)
    plan = Plan([*declared.values(), *additions.plan(found.enabled_applications, unnamed)])
    return Needs(stack=stack, configuration=configuration, environment=found, plan=plan)


def judge(
    plan: Plan, configured: Collection[SecretKey], in_vault: Collection[SecretKey] | None
) -> dict[SecretKey, State]:
    """Tell of each secret whether it has a value.

    Args:
        plan: Every secret.
        configured: Those that the stack's configuration gives; only static ones are given.
        in_vault: Those that Vault has, with a value that is not empty; None if Vault could not be asked.
    """
    given = {at for at in configured if at in plan and isinstance(plan[at].origin, Static)}
    there = set(in_vault or ())
    missing = set(plan.unresolved(given | there))

    def state(at: SecretKey) -> State:
        if at in missing:
            return State.MISSING if in_vault is not None else State.UNKNOWN
        if at in given:
            return State.CONFIGURED
        return State.IN_VAULT if at in there else State.COMES_WITH_UP

    return {at: state(at) for at in sorted(plan)}


def look_into_vault(needed: Needs) -> tuple[list[Problem], set[SecretKey] | None]:
    """Ask Vault which secrets it has, and tell why if it does not say.

    Returns:
        What is wrong with Vault, and the keys that have a value in it, or None if it does not say. No value is kept.
    """
    settings, found = needed.configuration.vault, needed.environment
    looked = vault_preflight.check_readable(needed.address, found, settings, needed.stack)
    if problems := [problem for problem in looked if problem.fatal]:
        return problems, None
    try:
        held = vault_secrets.read(needed.address, found)
    except PhalanxError as error:
        return [Problem(where=f"Vault at {needed.address}", what=str(error))], None
    return [], {at for at, value in held.items() if value}


def _as_data(plan: Plan, states: Mapping[SecretKey, State], problems: list[Problem]) -> dict[str, object]:
    return {
        "secrets": [
            {
                "application": at.application,
                "key": at.key,
                "from": _words(plan[at].origin),
                "state": state.value,
                "description": plan[at].description,
            }
            for at, state in states.items()
        ],
        "problems": [vars(problem) for problem in problems],
    }


_STYLES = {State.MISSING: "bold red", State.UNKNOWN: "yellow", State.COMES_WITH_UP: "dim"}


def _print(needed: Needs, states: Mapping[SecretKey, State], problems: list[Problem]) -> None:
    console = Console()
    table = Table(title=f"Secrets under {needed.environment.vault_path_prefix}")
    for heading in ("Application", "Key", "State", "From"):
        # A name that is cut short cannot be looked for.
        table.add_column(heading, overflow="fold")
    for name, group in groupby(states, key=lambda at: at.application):
        for number, at in enumerate(group):
            secret, state = needed.plan[at], states[at]
            described = f": {secret.description}" if isinstance(secret.origin, Static) else ""
            come_from = escape(f"{_words(secret.origin)}{described}")
            table.add_row("" if number else name, escape(at.key), state.value, come_from, style=_STYLES.get(state))
        table.add_section()
    console.print(table)
    for problem in problems:
        console.print(str(problem), style="bold red", markup=False)
    missing = [at for at, state in states.items() if state is State.MISSING]
    asked = [at for at in missing if isinstance(needed.plan[at].origin, Static)]
    console.print(f"{len(states)} secrets, {len(missing)} missing." + (" A person must give:" if asked else ""))
    for at in asked:
        command = f'pulumi config set --secret --path \'rsp:secrets.applications["{at.application}"]["{at.key}"]\''
        console.print(f"  {command}", markup=False, highlight=False, soft_wrap=True)


def _words(origin: Origin) -> str:
    match origin:
        case Literal():
            return "Phalanx"
        case Copied(source):
            return f"copy of {source}"
        case Generated(type=generator, source=source):
            return f"generated: {generator.value}" + (f" of {source.key}" if source else "")
        case Static():
            return "a person"
        case Wired():
            return "the object store"
