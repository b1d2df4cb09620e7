"""``python -m operations recover -s STACK``: let an interrupted run go on, with nothing made twice."""

from typing import Annotated

import typer

from operations.recovery.pulumi_stack import PulumiStack
from operations.recovery.recover import adopt, recover


def main(
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON")] = False,
    force_unlock: Annotated[
        bool, typer.Option("--force-unlock", help="Take the lock away even if its holder is on another host")
    ] = False,
) -> None:
    """Find what a killed run was making, and let the same command go on; exit with 1 if a person has to decide."""

    def progress(text: str) -> None:
        typer.echo(f"{text} ...", err=True)

    where = PulumiStack(stack)
    report = recover(where, dry_run=dry_run, force_unlock=force_unlock, progress=progress)
    if not report.items:
        progress("asking the program what it would make")
        report.items = adopt(where, dry_run=dry_run, progress=progress).items
    typer.echo(report.as_json() if as_json else "\n".join(report.lines()))
    if report.undecided:
        raise typer.Exit(1)
