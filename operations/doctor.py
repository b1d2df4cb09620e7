"""Command ``doctor``: what is wrong with a deployed platform, and what to do."""

import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.live import Live

from config.loader import ConfigError, load_file
from config.stack_config import StackConfig
from operations import doctor_checks, doctor_table
from operations.certificate import parse_address
from operations.stack import StackName
from probes.health import check, root_causes
from probes.health.finding import State
from probes.health.report import Report

INTERVAL = 15.0
"""Seconds between two runs with ``--watch``."""

_WIDTH = 120
"""Width of a table that is not printed to a terminal."""


def main(
    stack: StackName,
    connect: Annotated[
        str | None,
        typer.Option(help="host[:port] to connect to instead of the platform's name; the DNS is then not checked"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the findings as JSON")] = False,
    watch: Annotated[bool, typer.Option("--watch", help="Repeat the checks until Ctrl-C")] = False,
) -> None:
    """Check a deployed platform, from the cloud to its applications; exit with 1 if something is critical.

    Nothing is changed. Findings that follow from another one are not shown separately. The exit code is 2 if the
    stack's file is not valid; warnings alone do not fail.
    """
    if as_json and watch:
        raise typer.BadParameter("cannot be combined with --json", param_hint="--watch")
    address = parse_address(connect)
    try:
        target = doctor_checks.CheckedStack(stack, load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig), address)
    except ConfigError as error:
        typer.echo(f"Error: {error}", err=True)
        raise typer.Exit(2) from None
    console = Console(width=None if Console().is_terminal else _WIDTH)
    report = _watch(target, console) if watch else examine(target)
    if as_json:
        typer.echo(json.dumps(report.as_data(), indent=2))
    elif not watch:
        console.print(doctor_table.table(report))
    if report.state is State.CRITICAL:
        raise typer.Exit(1)


def examine(stack: doctor_checks.CheckedStack) -> Report:
    """Run all checks once."""
    started, now = time.monotonic(), datetime.now(UTC)
    findings = root_causes.explain(check.run(doctor_checks.all_checks(stack)))
    return Report(stack=stack.name, time=now, seconds=time.monotonic() - started, findings=findings)


def _watch(stack: doctor_checks.CheckedStack, console: Console) -> Report:
    """Show the report, and repeat the checks until Ctrl-C; return the last report."""
    report = examine(stack)
    try:
        with Live(doctor_table.table(report), console=console, auto_refresh=False) as live:
            while True:
                time.sleep(INTERVAL)
                stack.retry()
                report = examine(stack)
                live.update(doctor_table.table(report), refresh=True)
    except KeyboardInterrupt:
        return report
