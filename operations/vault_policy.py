"""Command ``vault-policy``: print the Vault policy for an operator's token or for previews."""

from typing import Annotated

import typer

from operations.stack import StackName, load
from probes import vault_policy


def main(
    stack: StackName,
    for_preview: Annotated[bool, typer.Option("--preview", help="Print the policy for previews")] = False,
) -> None:
    """Print the Vault policy with the permissions that an operator's token requires."""
    described = load(stack)
    render = vault_policy.preview if for_preview else vault_policy.operator
    typer.echo(render(described.environment, described.config.vault, stack), nl=False)
