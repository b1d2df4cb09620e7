"""Commands ``backup``: make, list, prune and restore backups of the volumes."""

import json
import re
import shlex
import time
from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from config.loader import load_file
from config.stack_config import StackConfig
from operations.stack import StackName
from phalanx.errors import PhalanxError
from probes import backup_retention, cinder_backups, text_table
from probes.cinder_backups import Backup
from probes.openstack_connection import connect
from recovery import restore as volume_restore
from recovery.backups import Action, Result, VolumeBackups
from recovery.pulumi_stack import PulumiStack
from recovery.restore import Plan, Restore, Restored
from recovery.services import reported

if TYPE_CHECKING:
    from openstack.connection import Connection

app = typer.Typer(help="Make, list, prune and restore backups of the volumes.", no_args_is_help=True)

DryRun = Annotated[bool, typer.Option("--dry-run", help="Report only; change nothing")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON list")]
Hours = Annotated[float, typer.Option("--timeout", min=0, help="Hours to wait for Cinder")]

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z?)?")


@app.command()
def create(  # noqa: PLR0913  # one parameter per option
    *,
    stack: StackName,
    again: Annotated[bool, typer.Option("--now", help="Also of volumes with a backup of the last 12 hours")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Afterwards, delete expired backups as `prune` does")] = False,
    timeout: Hours = 6,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Make a backup of each configured volume, and wait for them; exit with 1 if one failed.

    A repeated run makes no backup twice: it waits for unfinished backups, and skips volumes with a recent one.
    """
    found = _volume_backups(stack, timeout)
    results = found.create(again=again, dry_run=dry_run)
    try:
        if prune:
            results += found.prune(dry_run=dry_run)
    finally:
        # Also those of the backups that were made, if Cinder cannot be asked which have expired.
        _show(results, as_json=as_json)
    _fail_if_any_has(results)


@app.command()
def prune(stack: StackName, timeout: Hours = 6, dry_run: DryRun = False, as_json: AsJson = False) -> None:
    """Delete expired backups, but never the last good one of a volume, or one that these commands have not made.

    An expired backup that Cinder refuses to delete, for example because a restored volume needs it, is reported and
    kept.
    """
    found = _volume_backups(stack, timeout)
    results = found.prune(dry_run=dry_run)
    _show(results, as_json=as_json)
    _fail_if_any_has(results)


@app.command(name="list")
def list_(stack: StackName, as_json: AsJson = False) -> None:
    """List the stack's backups of all volumes, the oldest first."""
    config, connection = _connect(stack)
    found = cinder_backups.find(connection, stack)
    expired = {each.id for each in backup_retention.expired(found, config.backups.keep)}
    if as_json:
        typer.echo(json.dumps([{**_document(each), "expired": each.id in expired} for each in found], indent=2))
    elif not found:
        typer.echo("There are no backups.")
    else:
        typer.echo("\n".join(_table(found, expired)))


@app.command()
def restore(  # noqa: PLR0913  # one parameter per option
    *,
    stack: StackName,
    volumes: Annotated[
        list[str] | None, typer.Argument(metavar="[VOLUME]...", help="Exports, or claims as NAMESPACE/NAME")
    ] = None,
    missing: Annotated[
        bool, typer.Option("--missing", help="All configured volumes of the NFS server that do not exist")
    ] = False,
    at: Annotated[
        str | None,
        typer.Option(
            "--time", help="The last backup made before a time in UTC, such as 2026-11-25T12:00, or the end of a day"
        ),
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for a confirmation")] = False,
    timeout: Hours = 24,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Replace the stack's volumes with new ones that have the content of backups; exit with 1 if one failed.

    The replaced volumes are kept under another name. `pulumi up` then replaces the VM of the NFS server. Without
    --time, an interrupted restore is continued; if there is none, the last good backup is restored.
    """
    if as_json and not (yes or dry_run):
        raise typer.BadParameter("requires --yes or --dry-run", param_hint="--json")
    if missing is bool(volumes):
        raise typer.BadParameter("expected volumes, or --missing", param_hint="VOLUME")
    until = _until(at)
    config, connection = _connect(stack)
    target = PulumiStack(stack)
    existing = list(connection.block_storage.volumes())
    names = list(dict.fromkeys(volumes or ()))
    if missing:
        present = {each.name for each in existing}
        names = [name for name in sorted(config.nfs_volumes) if cinder_backups.volume_name(stack, name) not in present]
    found = cinder_backups.find(connection, stack)
    begun = {name: volume_restore.begun(existing, stack, name) for name in names}
    chosen = [volume_restore.choose(found, name, until, begun[name]) for name in names]
    plans = [volume_restore.plan(connection, target, each) for each in chosen]
    if not as_json:
        typer.echo("\n".join(_planned(each, begun[each.volume]) for each in plans) or "No volume is missing.")
    if plans and not (yes or dry_run):
        typer.confirm("Restore?", abort=True)
    worker = Restore(connection=connection, config=config, stack=target, limit=timeout * 3600, progress=_progress)
    done, errors = ([], {}) if dry_run else _carry_out(worker, plans)
    if as_json:
        typer.echo(json.dumps([_restore_document(each, done, errors) for each in plans], indent=2))
    else:
        failed = [f"{name}: failed: {error}" for name, error in errors.items()]
        typer.echo("\n".join([*_next_steps(done, stack, config.active), *failed]))
    if errors:
        raise typer.Exit(1)


def _carry_out(worker: Restore, plans: Iterable[Plan]) -> tuple[list[Restored], dict[str, str]]:
    """Return the results, and the errors by volume."""
    done, errors = [], {}
    for plan in plans:
        try:
            with reported():
                done.append(worker.run(plan))
        except PhalanxError as error:
            errors[plan.volume] = str(error)
    return done, errors


def _connect(stack: str) -> "tuple[StackConfig, Connection]":
    config = load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig)
    return config, connect(config.cloud)


def _volume_backups(stack: str, hours: float) -> VolumeBackups:
    deadline = time.monotonic() + timedelta(hours=hours).total_seconds()
    config, connection = _connect(stack)
    return VolumeBackups(connection=connection, config=config, stack=stack, deadline=deadline, progress=_progress)


def _progress(text: str) -> None:
    typer.echo(f"{text} ...", err=True)


def _until(text: str | None) -> datetime | None:
    """Return the time of an option; for a day, its end."""
    if text is None:
        return None
    if not _TIME.fullmatch(text):
        raise typer.BadParameter(f"{text}: expected 2026-11-25 or 2026-11-25T12:00", param_hint="--time")
    try:
        found = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=UTC)
        return found if "T" in text else found + timedelta(days=1) - timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text}: {error}", param_hint="--time") from None


def _show(results: Sequence[Result], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps([_result_document(each) for each in results], indent=2))
    else:
        typer.echo("\n".join(map(_line, results)) or "Nothing to do.")


def _fail_if_any_has(results: Sequence[Result]) -> None:
    if any(each.action is Action.FAILED for each in results):
        raise typer.Exit(1)


def _line(result: Result) -> str:
    about = f" {result.backup.kind} {result.backup.name}" if result.backup else ""
    return f"{result.volume}: {result.action}{about}{f': {result.reason}' if result.reason else ''}"


def _time(backup: Backup) -> str:
    return f"{backup.time:%Y-%m-%dT%H:%M:%SZ}"


def _table(found: Iterable[Backup], expired: set[str]) -> list[str]:
    cells = [("volume", "time", "kind", "GiB", "status", "ID")]
    for each in found:
        kind = f"{each.kind}, incremental" if each.incremental else each.kind
        status = f"{each.status}, expired" if each.id in expired else each.status
        cells.append((each.volume, _time(each), kind, str(each.size), status, each.id))
    return text_table.lines(cells)


def _planned(plan: Plan, begun: Collection[str]) -> str:
    verb = "continue to restore" if plan.temporary in begun else "restore"
    what = f"{plan.volume}: {verb} {plan.backup.kind} {plan.backup.name} of {_time(plan.backup)}"
    if plan.of_claim:
        return f"{what} as {plan.temporary}"
    there = f", in place of {plan.present.id}, which is kept with another name" if plan.present else ""
    return f"{what} as {plan.name}{there}"


def _next_steps(done: Sequence[Restored], stack: str, cluster: str) -> list[str]:
    lines = []
    for each in done:
        lines.append(f"{each.plan.volume}: restored: {each.name} ({each.id})")
        if each.replaced:
            lines.append(
                f"  The previous volume is now called {each.replaced}. Delete it when its data is no longer needed."
            )
        if each.plan.of_claim:
            key = shlex.quote(f'rsp:clusters.{cluster}.claims["{each.plan.volume}"]')
            lines.append(
                f"  Next, in a new cluster, which has no such claim yet: "
                f"`pulumi config set -s {stack} --path {key} {each.id}`; for a claim that exists: "
                "docs/runbooks/volumes.md, `Restore the volume of a claim`"
            )
    servers = [each for each in done if not each.plan.of_claim]
    if any(each.plan.urn for each in servers):
        lines.append(
            f"Next: `pulumi up -s {stack}` replaces the VM of the NFS server, which then has the restored volumes."
        )
    if any(each.plan.urn is None for each in servers):
        lines.append(
            f"Next: `pulumi up -s {stack}` refuses to create the volumes again, "
            f"`python -m operations recover -s {stack}` records them, and then `pulumi up` continues."
        )
    return lines


def _document(backup: Backup) -> dict[str, Any]:
    return {**vars(backup), "time": _time(backup)}


def _result_document(result: Result) -> dict[str, Any]:
    backup = _document(result.backup) if result.backup else None
    return {"volume": result.volume, "action": str(result.action), "backup": backup, "reason": result.reason}


def _restore_document(plan: Plan, done: Iterable[Restored], errors: dict[str, str]) -> dict[str, Any]:
    result = next((each for each in done if each.plan is plan), None)
    return {
        "volume": plan.volume,
        "backup": _document(plan.backup),
        "name": result.name if result else plan.name,
        "id": result.id if result else None,
        "replaced": result.replaced if result else "",
        "error": errors.get(plan.volume, ""),
    }
