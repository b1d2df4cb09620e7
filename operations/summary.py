"""Command ``summary``: report what a run of Pulumi changes."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from operations.stack import StackName
from review import changes as review_changes
from review import comment, run
from review.changes import Changes
from review.markdown import GITHUB_LIMIT

Events = Annotated[Path, typer.Argument(help="Event log of `pulumi preview|up --event-log FILE`")]
Diff = Annotated[
    Path | None, typer.Option("--diff", help="File with the output of `pulumi preview|up --diff --color never`")
]


def main(
    events: Events,
    stack: StackName,
    diff: Diff = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the changes as JSON")] = False,
) -> None:
    """Print what a preview or an update changes, as Markdown of at most 65536 characters, the limit of a comment."""
    found = read(events, stack)
    if as_json:
        json.dump(found.as_json(), sys.stdout, indent=2, ensure_ascii=False)
        typer.echo()
    else:
        typer.echo(render(found, diff), nl=False)


def read(events: Path, stack: str) -> Changes:
    """Return the changes in an event log.

    Raises:
        EventLogError: The file is not an event log, or is of another stack.
        PlaintextSecretsError: It contains secrets in plaintext.
    """
    return review_changes.of_run(run.read(events, stack))


def render(found: Changes, diff: Path | None, limit: int = GITHUB_LIMIT, head: str = "") -> str:
    """Return the changes as `review.comment.render` does, with the contents of the file `diff` if it exists."""
    text = diff.read_text(encoding="utf-8", errors="replace") if diff and diff.is_file() else ""
    # `pulumi up` prints its preview before. The lines of a diff are indented.
    _, begin, update = text.rpartition("\nUpdating (")
    text = f"{begin.lstrip()}{update}"
    return comment.render(found, text, limit, head)
