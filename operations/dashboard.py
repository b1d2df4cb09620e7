"""Command ``dashboard``: the state of a platform in the browser."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from config.loader import load_file
from config.stack_config import StackConfig
from dashboard import page
from dashboard.board import Board, Dated, Deployment, Snapshot
from dashboard.server import Server, static
from diagram import platform, svg
from operations import doctor_checks
from operations.certificate import parse_address
from operations.doctor import examine
from operations.stack import StackName
from phalanx.errors import PhalanxError
from probes.openstack_connection import first_line
from recovery.document import resources
from recovery.pulumi_stack import PulumiStack

_STATE_TIMEOUT = 30.0
"""Timeout of reading the state from Pulumi's backend, in seconds."""


def main(
    stack: StackName,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 for a free one")] = 8642,
    interval: Annotated[float, typer.Option(min=10, help="Seconds between two rounds of queries to the clouds")] = 60,
    connect: Annotated[
        str | None,
        typer.Option(help="host[:port] to connect to instead of the platform's name; the DNS is then not checked"),
    ] = None,
) -> None:
    """Show in the browser what `doctor` finds, applications, expiry dates, versions and topology, until Ctrl-C.

    Nothing is changed. The page can be accessed only from this machine, and contains no secrets.
    """
    config = load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig)
    address = parse_address(connect)
    board = Board(lambda known: ask(known, stack, config, address), interval)
    files = {
        "index.html": lambda: page.render(stack, board.snapshot, interval, datetime.now(UTC)),
        "topology.svg": lambda: deployed.value.topology if (deployed := board.snapshot.deployment) else None,
        "style.css": static("style.css"),
        "script.js": static("script.js"),
    }
    try:
        server = Server(port, files)
    except OSError as error:
        raise typer.BadParameter(f"{port} cannot be used: {error.strerror}", param_hint="--port") from None
    with server:
        typer.echo(f"{server.url} (Ctrl-C to stop)")
        board.start()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            typer.echo()


def ask(known: Snapshot, stack: str, config: StackConfig, address: tuple[str, int] | None) -> Snapshot:
    """Query the clouds and the state, and return what is known then.

    Args:
        known: What is known so far.
        stack: Name of the stack.
        config: Its configuration.
        address: Address and port to connect to instead of the platform's name.
    """
    # Nothing is shared with the round before: the cluster may be another one, and a session may have expired.
    checked = known.with_health(examine(doctor_checks.CheckedStack(stack, config, address)))
    try:
        deployed = Dated(value=_deployment(stack, config), time=datetime.now(UTC))
    except PhalanxError as error:
        return replace(checked, failures=(f"the stack's state cannot be read: {first_line(error)}",))
    return replace(checked, deployment=deployed, failures=())


def _deployment(stack: str, config: StackConfig) -> Deployment:
    state = list(resources(PulumiStack(stack, timeout=_STATE_TIMEOUT).export()))
    found = next((each.get("outputs") or {} for each in state if each["type"] == "pulumi:pulumi:Stack"), {})
    # A secret is a mapping in the state.
    outputs = {name: value for name, value in found.items() if isinstance(value, str)}
    return Deployment(outputs=outputs, topology=svg.render(platform.read(stack, config, state)))
