"""``python -m operations vault-policy -s STACK``: print the policy for the token of an operator or of previews."""

from typing import Annotated

import typer

from operations.stack import load
from probes import vault_policy


def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    for_preview: Annotated[bool, typer.Option("--preview", help="For a token that looks only")] = False,
) -> None:
    """Print the policy that an operator's token needs in Vault, and nothing more."""
    described = load(stack)
    write = vault_policy.preview if for_preview else vault_policy.operator
    typer.echo(write(described.environment, described.config.vault, stack), nl=False)
