"""Command ``recover``: prepare a stack to continue after a killed run."""

from pathlib import Path
from typing import Annotated

import typer

from operations.stack import StackName
from recovery.adoption import adopt
from recovery.pulumi_stack import PulumiStack
from recovery.recover import recover


def main(
    stack: StackName,
    directory: Annotated[
        Path,
        typer.Option("--cwd", "-C", help="Directory of the project, such as vault", exists=True, file_okay=False),
    ] = Path(),
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report only; change nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON")] = False,
    force_unlock: Annotated[
        bool, typer.Option("--force-unlock", help="Release the lock even if its holder is on another host")
    ] = False,
) -> None:
    """Record in the state the resources that a killed run was creating, or all existing ones that are not in it.

    Exit with 1 if a resource requires a decision, or must be replaced.
    """

    def progress(text: str) -> None:
        typer.echo(f"{text} ...", err=True)

    target = PulumiStack(stack, directory)
    report = recover(target, dry_run=dry_run, force_unlock=force_unlock, progress=progress)
    if not report.items:
        report.items = adopt(target, dry_run=dry_run, progress=progress).items
    typer.echo(report.as_json() if as_json else "\n".join(report.lines()))
    if report.undecided or report.failed:
        raise typer.Exit(1)
