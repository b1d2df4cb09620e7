"""Command line for operations on a deployed platform: ``python -m operations --help``."""

import sys

import typer

from config.loader import ConfigError
from operations import (
    backup,
    certificate,
    dashboard,
    diagram,
    doctor,
    drift,
    fork,
    leftovers,
    preflight,
    pull_request,
    recover,
    secrets,
    size,
    summary,
    vault_policy,
    vault_ready,
    wiring,
)
from phalanx.errors import PhalanxError
from recovery.services import reported

app = typer.Typer(help="Operations on a deployed platform.", no_args_is_help=True)
app.command("preflight")(preflight.main)
app.command("size")(size.main)
app.command("doctor")(doctor.main)
app.command("dashboard")(dashboard.main)
app.command("diagram")(diagram.main)
app.command("certificate")(certificate.main)
app.command("vault-policy")(vault_policy.main)
app.command("vault-ready")(vault_ready.main)
app.command("recover")(recover.main)
app.command("leftovers")(leftovers.main)
app.command("summary")(summary.main)
app.command("drift")(drift.main)
app.command("fork")(fork.main)
app.add_typer(pull_request.app, name="pull-request")
app.command("wiring")(wiring.main)
app.add_typer(backup.app, name="backup")
app.add_typer(secrets.app, name="secrets")


def main() -> None:
    """Run a command; report errors of the user, of services and of files without a traceback."""
    try:
        with reported():
            app()
    except (ConfigError, PhalanxError) as error:
        sys.exit(f"Error: {error}")
    except OSError as error:
        sys.exit(f"Error: {error.filename}: {error.strerror}" if error.filename else f"Error: {error}")


if __name__ == "__main__":
    main()
