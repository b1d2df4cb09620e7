"""Command ``vault-ready``: wait until a Vault can be used."""

import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from phalanx.errors import PhalanxError
from probes import vault_ready

INTERVAL = 5
"""Seconds between two checks."""


class NotReadyError(PhalanxError):
    """The Vault cannot be used; the message contains the remedy."""


def main(
    url: Annotated[str, typer.Argument(metavar="URL", help="URL of the Vault: the stack's output vaultUrl")],
    address: Annotated[
        str | None, typer.Option(metavar="IPV4", help="Address of its DNS record: the output vaultAddress")
    ] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(
            exists=True, dir_okay=False, help="File with its private CA; by default VAULT_CACERT, or public CAs"
        ),
    ] = None,
    timeout: Annotated[int, typer.Option(metavar="SECONDS", help="Maximum time to wait in seconds")] = 1200,
) -> None:
    """Wait until a Vault is initialized and unsealed; exit with 1 if an operator must act, or after the timeout."""
    url = url.rstrip("/")
    if not _is_valid(url):
        raise typer.BadParameter(f"{url} is not a URL of the form https://NAME:PORT", param_hint="URL")
    deadline = time.monotonic() + timeout
    shown = ""
    while obstacle := vault_ready.check(url, address, ca_file):
        if not obstacle.temporary:
            raise NotReadyError(obstacle.what)
        if time.monotonic() >= deadline:
            raise NotReadyError(f"not ready after {timeout} s: {obstacle.what}")
        if obstacle.what != shown:
            shown = obstacle.what
            typer.echo(shown, err=True)
        time.sleep(INTERVAL)
    typer.echo(f"{url} is ready")


def _is_valid(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
