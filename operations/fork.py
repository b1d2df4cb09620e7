"""Command ``fork``: what merging the upstream Phalanx repository would change for a stack."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Annotated, Final

import typer

from operations.stack import StackName, load
from phalanx import checkout, merge_preview
from phalanx.merge_preview import ApplicationChange, Preview
from wiring.application_values import application_values

UPSTREAM: Final = "https://github.com/lsst-sqre/phalanx"

_SHOWN: Final = 60
"""Maximum number of printed characters of a value."""


def main(
    stack: StackName,
    upstream: Annotated[str, typer.Option("--upstream", help="Repository to merge")] = UPSTREAM,
    revision: Annotated[str, typer.Option("--revision", help="Its branch, tag or commit")] = "main",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object")] = False,
) -> None:
    """Print what merging upstream would change for the stack's environment; change nothing.

    Exit with 1 if the merge has conflicts, or if the merged environment could not be deployed.
    """
    described = load(stack)
    theirs = checkout.resolve(upstream, revision, "--revision")
    name = described.environment.name
    found = merge_preview.preview(described.checkout, theirs, name, application_values(described.config))
    if as_json:
        typer.echo(json.dumps(asdict(found), indent=2))
    else:
        ours = described.checkout
        typer.echo(f"{found.merge.commits} commits of {theirs.repository} ({theirs.commit[:12]}) would be merged into")
        typer.echo(f"{ours.repository} ({ours.commit[:12]}), environment {name}")
        for line in _lines(found):
            typer.echo(line)
    if found.merge.conflicts or found.problems:
        raise typer.Exit(1)


def _lines(found: Preview) -> Iterator[str]:
    yield from _list("Files with conflicts", found.merge.conflicts)
    yield from _list("The merged environment cannot be deployed", found.problems)
    yield from _list("New applications", found.added)
    yield from _list("Removed applications", found.removed)
    for name, change in found.changed.items():
        yield from _list(name, list(_changes(change)))
    new = [f"{key}: {description}" for key, description in found.new_secrets.items()]
    yield from _list("New secrets", new)
    yield from _list("Secrets that are no longer needed", found.unneeded_secrets)
    if not (found.added or found.removed or found.changed or found.problems):
        yield "No application of this environment would change."


def _list(title: str, lines: tuple[str, ...] | list[str]) -> Iterator[str]:
    if lines:
        yield f"{title}:"
        yield from (f"  {line}" for line in lines)


def _changes(change: ApplicationChange) -> Iterator[str]:
    for kind, changes in (("", change.versions), ("value ", change.values)):
        yield from _pairs(kind, changes)
    if change.files:
        yield f"{len(change.files)} other files of its charts"


def _pairs(kind: str, changes: Mapping[str, merge_preview.Change]) -> Iterator[str]:
    for name, change in changes.items():
        yield f"{kind}{name}: {_shown(change.old)} -> {_shown(change.new)}"


def _shown(text: str) -> str:
    line = " ".join(text.split())
    return (line if len(line) <= _SHOWN else f"{line[: _SHOWN - 1]}…") or "(none)"
