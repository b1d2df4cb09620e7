"""Commands ``secrets``: template, status, prune and copy."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from operations import needed_secrets, secrets_prune, secrets_status, vault_copy
from operations.secrets_status import SecretState
from operations.stack import StackName
from phalanx import static_secrets
from phalanx.errors import SecretsError
from phalanx.secrets import PULL_SECRET

app = typer.Typer(help="Manage the secrets of a stack.")
app.command("copy")(vault_copy.main)


@app.command()
def template(
    stack: StackName,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File to create with mode 0600")] = None,
) -> None:
    """Generate a file to fill in with the static secrets, in the format of `phalanx secrets`."""
    text = static_secrets.template(needed_secrets.find(stack).complete_plan(()).values())
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise typer.BadParameter(f"{output} exists and may contain secrets: choose another file") from None
    with open(descriptor, "w") as file:  # noqa: PTH123  # Path.open cannot set the mode
        file.write(text)
    typer.echo(f"Created {output}: fill in the values, and never commit it without encryption.")


@app.command()
def status(
    stack: StackName,
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON")] = False,
) -> None:
    """List all secrets with their origin and state; exit with 1 if any is missing."""
    needed = needed_secrets.find(stack)
    problems, in_vault = secrets_status.read_vault(needed)
    plan = needed.complete_plan([key for key, has_value in (in_vault or {}).items() if has_value])
    states = secrets_status.states(plan, needed.configured(), in_vault)
    if as_json:
        typer.echo(json.dumps(secrets_status.as_data(plan, states, problems), indent=2))
    else:
        secrets_status.show(needed, plan, states, problems)
    if SecretState.MISSING in states.values() or problems:
        raise typer.Exit(1)


@app.command()
def prune(
    stack: StackName,
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[APPLICATION[/KEY]]...", help="Secrets to remove")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Remove all unneeded secrets")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation")] = False,
) -> None:
    """List the secrets in Vault that no application reads, or remove them; a removal can be undone."""
    needed = needed_secrets.find(stack)
    problems, in_vault = secrets_status.read_vault(needed)
    if in_vault is None:
        raise SecretsError(*map(str, problems))
    where, plan = needed.stack.environment, needed.complete_plan([*in_vault, PULL_SECRET])
    unneeded = plan.unneeded(in_vault)
    if not unneeded:
        typer.echo(f"The environment reads all secrets below {where.vault_path_prefix}.")
        return
    if not names and not everything:
        typer.echo(f"No application reads these secrets below {where.vault_path_prefix}:")
        typer.echo("\n".join(f"  {key}" for key in unneeded))
        typer.echo("To remove some, name them as APPLICATION or APPLICATION/KEY, or use --all. Nothing was removed.")
        return
    removals = (
        secrets_prune.choose(names or (), plan, in_vault) if names else secrets_prune.removals(unneeded, in_vault)
    )
    for removal in removals:
        typer.echo(f"To remove: {removal}")
    if not yes:
        typer.confirm("Remove them?", abort=True)
    for message in secrets_prune.remove(removals, needed.stack.vault, where, needed.stack.config.vault.ca_file):
        typer.echo(message)
