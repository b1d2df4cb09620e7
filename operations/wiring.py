"""Command ``wiring``: compare the values in the Phalanx repository with the facts of a stack."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from operations.stack import Stack, StackName, load
from phalanx import application, source
from phalanx.application import Application
from phalanx.errors import Problems
from recovery.pulumi_stack import PulumiError, PulumiStack
from wiring import values_patch, verification
from wiring.verification import Difference, Special


def main(
    stack: StackName,
    patch: Annotated[
        bool, typer.Option("--patch", help="Print a patch of the repository's values files, for `git apply`")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON")] = False,
) -> None:
    """Compare the values in the Phalanx repository with what infrastructure and configuration require.

    With rsp:applications.wiring: apply, the Applications override these values; with verify, the repository must have
    the required values. Exit with 1 if any differs, except with --patch.
    """
    described = load(stack)
    address = _ingress_address(described, stack)
    others = source.other_revisions(described.checkout, described.environment, described.config.applications.revisions)
    roots = {name: tree.path for name, tree in others.items()}
    found = application.load_enabled(described.checkout.path, described.environment, roots=roots)
    differences = verification.differences(described.config, found, address)
    unknown = verification.unknown_applications(described.config, described.environment)
    for message in unknown:
        typer.echo(message, err=True)
    if patch:
        required = verification.required(described.config, found, address)
        typer.echo(_patch(described, roots, differences, required), nl=False)
        return
    if as_json:
        typer.echo(json.dumps([_document(each) for each in differences], indent=2))
    else:
        _show(differences, found, stack)
    if unknown or any(each.expected is not Special.UNKNOWN for each in differences):
        raise typer.Exit(1)


def _ingress_address(described: Stack, stack: str) -> str | Special:
    """Return the platform's floating IP, from the configuration or the stack's outputs."""
    if configured := described.config.ingress.floating_ip:
        return str(configured)
    try:
        address = PulumiStack(stack).outputs().get("ingressAddress")
    except PulumiError as error:
        typer.echo(f"the floating IP is not known, as the stack's outputs cannot be read: {error}", err=True)
        address = None
    return str(address) if address else Special.UNKNOWN


def _patch(
    described: Stack,
    roots: Mapping[str, Path],
    differences: Sequence[Difference],
    required: Mapping[str, Mapping[str, Any]],
) -> str:
    """Return the changes of the environment's values files.

    Raises:
        PhalanxError: A file cannot be changed automatically; the problems of all files together.
    """
    patches: list[str] = []
    problems = Problems()
    for name in sorted({each.application for each in differences}):
        path = f"applications/{name}/values-{described.environment.name}.yaml"
        file = roots.get(name, described.checkout.path) / path
        before = file.read_text() if file.exists() else None
        with problems.collected():
            after = values_patch.changed(before or "", _known(required[name]), path)
            patches.append(values_patch.unified_diff(before, after, path))
    problems.report()
    return "".join(patches)


def _known(values: Any) -> Any:
    """Return the values without those that are not known yet."""
    if isinstance(values, Mapping):
        return {key: _known(value) for key, value in values.items() if value is not Special.UNKNOWN}
    return values


def _show(differences: Sequence[Difference], applications: Mapping[str, Application], stack: str) -> None:
    if not differences:
        typer.echo(f"The repository has the required values of all {len(applications)} applications.")
        return
    table = Table()
    for heading in ("File", "Key", "Repository", "Required"):
        # Keys must not be truncated.
        table.add_column(heading, overflow="fold")
    previous = ""
    for each in differences:
        name = each.file.removeprefix("applications/")
        cells = (each.key, verification.shown(each.found), verification.shown(each.expected))
        table.add_row("" if name == previous else name, *(cell.replace("[", r"\[") for cell in cells))
        previous = name
    Console().print(table)
    count = len(differences)
    typer.echo(
        f"{count} value{'s' if count > 1 else ''} to change: `python -m operations wiring --patch -s {stack}` prints "
        "the change, for `git apply` in a clone of the repository."
    )


def _document(difference: Difference) -> dict[str, Any]:
    """Return a difference as JSON values; what is missing or not known yet is null, with the reason in ``state``."""
    special = difference.expected is Special.UNKNOWN
    return {
        "application": difference.application,
        "file": difference.file,
        "key": difference.key,
        "found": None if difference.found is Special.MISSING else difference.found,
        "required": None if special else difference.expected,
        "state": "unknown" if special else "missing" if difference.found is Special.MISSING else "different",
    }
