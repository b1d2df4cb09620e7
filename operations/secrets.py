"""The secrets of an environment: where each comes from, whether it is there, and what is there for nothing."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from operations import secrets_prune, secrets_status, vault_copy
from operations.needed_secrets import needs
from operations.secrets_status import State
from phalanx import static_secrets
from phalanx.errors import SecretsError
from phalanx.undeclared import PULL_SECRET

app = typer.Typer(help="The secrets of an environment: what it needs, from where, and whether it is there.")
app.command("copy")(vault_copy.main)
Stack = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")]


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
    problems, in_vault = secrets_status.look_into_vault(needed)
    plan = needed.complete_plan(pull_secret_held=(in_vault or {}).get(PULL_SECRET, False))
    states = secrets_status.judge(plan, needed.configured(), in_vault)
    if as_json:
        typer.echo(json.dumps(secrets_status.as_data(plan, states, problems), indent=2))
    else:
        secrets_status.show(needed, plan, states, problems)
    if State.MISSING in states.values() or problems:
        raise typer.Exit(1)


@app.command()
def prune(
    stack: Stack,
    names: Annotated[list[str] | None, typer.Argument(metavar="[APPLICATION[/KEY]]...", help="What to remove")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all that the environment does not read")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
) -> None:
    """List what Vault has and the environment does not read; remove what is named, so that it can come back."""
    needed = needs(stack)
    problems, in_vault = secrets_status.look_into_vault(needed)
    if in_vault is None:
        raise SecretsError(*map(str, problems))
    where, plan = needed.environment, needed.complete_plan(pull_secret_held=True)
    unneeded = plan.unneeded(in_vault)
    if not unneeded:
        typer.echo(f"The environment reads all that Vault has under {where.vault_path_prefix}.")
        return
    if not names and not everything:
        typer.echo(f"Nothing in the environment reads these under {where.vault_path_prefix}:")
        typer.echo("\n".join(f"  {at}" for at in unneeded))
        typer.echo("Name those to remove, as APPLICATION or APPLICATION/KEY, or say --all. Nothing was removed.")
        return
    removals = (
        secrets_prune.choose(names or (), plan, in_vault) if names else secrets_prune.removals(unneeded, in_vault)
    )
    for removal in removals:
        typer.echo(f"To remove: {removal}")
    if not yes:
        typer.confirm("Remove them?", abort=True)
    for told in secrets_prune.remove(removals, needed.address, where):
        typer.echo(told)
