"""Command ``leftovers``: list and delete what a stack's deleted clusters left behind in OpenStack."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from config.loader import load_file
from config.stack_config import StackConfig
from operations.stack import StackName
from probes import text_table
from probes.cluster_leftovers import SHORT_ID, UUID, Kind, Leftover
from probes.openstack_connection import connect
from recovery import leftovers
from recovery.pulumi_stack import PulumiStack

_CLUSTER: Final = re.compile(rf"{UUID.pattern}|[a-z0-9-]+-{SHORT_ID}")


def main(  # noqa: PLR0913  # one parameter per option
    *,
    stack: StackName,
    cluster: Annotated[
        list[str] | None,
        typer.Option("--cluster", help="Also another deleted cluster: its ID in Magnum, or its name in Cluster API"),
    ] = None,
    delete: Annotated[bool, typer.Option("--delete", help="Delete what is listed, except volumes")] = False,
    volumes: Annotated[bool, typer.Option("--volumes", help="With --delete: delete volumes, too")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON list")] = False,
) -> None:
    """List what deleted clusters left behind: load balancers, floating IPs, ports, security groups, volumes of claims.

    What the stack's state or an existing cluster owns is never listed. Exit with 1 if something could not be deleted.
    """
    given = [_deleted_cluster(name) for name in cluster or ()]
    if delete and as_json and not yes:
        raise typer.BadParameter("requires --yes with --json", param_hint="--delete")
    config = load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig)
    connection = connect(config.cloud)
    found = leftovers.find(connection, config, PulumiStack(stack), given)
    chosen = [each for each in found if delete and (volumes or each.kind is not Kind.VOLUME)]
    if not as_json:
        typer.echo("\n".join(_lines(found)) if found else "Nothing was left behind.")
    if chosen and not yes:
        with_data = ", with all data of the volumes" if volumes else ""
        typer.confirm(f"Delete {len(chosen)} of these {len(found)} resources{with_data}?", abort=True)
    errors: dict[str, str] = {}
    try:
        for each, error in leftovers.delete(connection, chosen):
            errors[each.id] = error
            if not as_json:
                typer.echo(f"{each.kind} {each.name}: {f'not deleted: {error}' if error else 'deleted'}")
    finally:
        # Also what was deleted before an interruption.
        if as_json:
            typer.echo(json.dumps([_document(each, errors) for each in found], indent=2))
    if any(errors.values()):
        raise typer.Exit(1)


def _deleted_cluster(name: str) -> str:
    if not _CLUSTER.fullmatch(name):
        raise typer.BadParameter(
            f"{name}: expected the ID of a cluster in Magnum, or a name in Cluster API such as "
            "rsp-roe-cluster-abcdefghijkl",
            param_hint="--cluster",
        )
    return name


def _lines(found: Sequence[Leftover]) -> list[str]:
    """Return the lines of a table."""
    cells = [("kind", "name", "ID", "used for", "deleted cluster")]
    cells += [(str(each.kind), each.name, each.id, each.about, each.cluster) for each in found]
    return text_table.lines(cells)


def _document(leftover: Leftover, errors: dict[str, str]) -> dict[str, str | bool]:
    error = errors.get(leftover.id)
    return {**vars(leftover), "deleted": error == "", **({"error": error} if error else {})}
