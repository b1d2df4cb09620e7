"""Command ``drift``: one issue per stack for the differences between its state and the clouds."""

import typer

from operations import summary
from operations.pull_request import forge
from operations.stack import StackName
from operations.summary import Diff, Events
from review import reports
from review.reports import LIMIT


def main(events: Events, stack: StackName, diff: Diff = None) -> None:
    """Open or update the stack's issue if a preview with a refresh shows changes; close it if there are none.

    Exit with 1, and leave the issue as it is, if the preview failed.
    """
    found = summary.read(events, stack)
    text = summary.render(found, diff, LIMIT)
    if not found.succeeded:
        typer.echo(text, nl=False)
        raise typer.Exit(1)
    reports.drift(forge(), stack, text, found=bool(found.counts))
    typer.echo(f"{sum(found.counts.values())} resources differ")
