"""Copy the secrets of an environment from another Vault, or from another path, and verify the copy."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from operations import vault_kv
from operations.stack import load
from operations.vault_kv import Access, Folder, ForeignWriteError, Held
from phalanx.errors import SecretsError
from probes import vault_client

SOURCE_TOKEN = "VAULT_SOURCE_TOKEN"  # noqa: S105  # a variable's name
"""Environment variable of the token for the Vault that is copied from."""

_AT_ONCE = 8
"""Secrets that are read side by side."""
_ATTEMPTS = 5
"""To write a secret that somebody else writes as well."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """How a secret of the source compares with that of the target: names of keys, never values."""

    name: str
    new: tuple[str, ...]
    same: tuple[str, ...]
    differs: tuple[str, ...]
    custom_metadata: bool
    """Whether the source has custom metadata and the target none."""
    deleted: bool
    """Whether the source's newest version is deleted or destroyed, so that there is nothing to copy."""


def main(  # noqa: PLR0913, PLR0917  # the options of the command
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack, whose path is copied to")],
    address: Annotated[str, typer.Option("--from", help="URL of the Vault to copy from")],
    path: Annotated[
        str | None,
        typer.Option("--from-path", help="Mount and path there (KV version 1 or 2); by default the environment's own"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Let the source's value win where both differ")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would be copied, and change nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON")] = False,
) -> None:
    """Copy every secret from another Vault into the stack's, and verify it; nothing there is lost or overwritten.

    Tokens: VAULT_TOKEN for the stack's Vault, VAULT_SOURCE_TOKEN for the other one.
    """
    source, target = _folders(stack, address.rstrip("/"), path)
    found = compare(source, target)
    if as_json:
        typer.echo(json.dumps(_as_data(source, target, found), indent=2))
    else:
        _print(source, target, found)
    wanted = [one for one in found if one.new or one.custom_metadata or (overwrite and one.differs)]
    if dry_run:
        return
    if wanted:
        if not yes:
            typer.confirm(f"Write {len(wanted)} secrets to {target}?", abort=True, err=True)
        for number, one in enumerate(wanted):
            try:
                write(source, target, one.name, overwrite=overwrite)
            except SecretsError as error:
                raise SecretsError(
                    f"{one.name}: {error}",
                    f"{number} of {len(wanted)} secrets are written; the same command goes on from here.",
                ) from None
    if left := verify(compare(source, target)):
        raise SecretsError(f"{target} is not as {source}:", *left)
    alive = sum(not one.deleted for one in found)
    typer.echo(f"Verified: {target} has all {alive} secrets of {source}.", err=as_json)


def compare(source: Folder, target: Folder) -> list[Comparison]:
    """Compare every secret of the source with the target's.

    Raises:
        SecretsError: Either cannot be read, or the source has none.
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        with source.told():
            names = source.names(pool)
            theirs = list(pool.map(source.read, names))
        if not names:
            raise SecretsError(
                f"There is no secret below {source} (KV version {source.version}): check --from-path",
            )
        with target.told():
            ours = list(pool.map(target.read, names))
    return [_compare(*each) for each in zip(names, theirs, ours, strict=True)]


def write(source: Folder, target: Folder, name: str, *, overwrite: bool) -> None:
    """Copy one secret; what the target has beside it stays, also if somebody else writes it at the same time.

    Args:
        source: Where it comes from.
        target: Where it goes.
        name: Of the secret.
        overwrite: Whether the source's value wins where both have one.

    Raises:
        SecretsError: Either Vault fails or refuses.
    """
    from hvac import exceptions  # noqa: PLC0415  # see vault_client.connect

    with source.told():
        theirs = source.read(name)
    for _ in range(_ATTEMPTS):
        with target.told():
            ours = target.read(name)
            wanted = {**ours.data, **theirs.data} if overwrite else {**theirs.data, **ours.data}
            try:
                if _compare(name, Held(wanted), ours).same != tuple(sorted(wanted)):
                    target.write(name, wanted, over=ours)
            except ForeignWriteError:
                continue
            # A secret without any version may have custom metadata, which are seen once there is one.
            if theirs.custom_metadata and not target.read(name).custom_metadata:
                # An operator's policy need not allow it: the values matter more, and verifying tells what is missing.
                with suppress(exceptions.Forbidden):
                    target.describe(name, theirs.custom_metadata)
            return
    raise SecretsError(f"somebody else writes it all the time at {target}")


def verify(found: list[Comparison]) -> list[str]:
    """Name what the target does not have as the source has it."""
    return [
        *(f"  {one.name}/{key}: missing" for one in found for key in one.new),
        *(
            f"  {one.name}/{key}: has another value, which was left (--overwrite takes the source's)"
            for one in found
            for key in one.differs
        ),
        *(
            f"  {one.name}: its custom metadata are missing (the token needs `update` on its metadata)"
            for one in found
            if one.custom_metadata
        ),
    ]


def _compare(name: str, theirs: Held, ours: Held) -> Comparison:
    both = theirs.data.keys() & ours.data.keys()
    # Python takes True for 1; Vault does not.
    same = {key for key in both if _text(theirs.data[key]) == _text(ours.data[key])}
    return Comparison(
        name=name,
        new=tuple(sorted(theirs.data.keys() - both)),
        same=tuple(sorted(same)),
        differs=tuple(sorted(both - same)),
        custom_metadata=bool(theirs.data and theirs.custom_metadata and not ours.custom_metadata),
        deleted=theirs.deleted,
    )


def _text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _folders(stack: str, address: str, path: str | None) -> tuple[Folder, Folder]:
    described = load(stack)
    found, ours = described.environment, described.vault
    theirs = (path or found.vault_path_prefix).strip("/")
    if (address, theirs) == (ours, found.vault_path_prefix):
        raise SecretsError(f"--from and --from-path name the stack's own Vault and path, {theirs} of {ours}")
    # Another path of the same Vault needs no second token.
    variable = vault_client.TOKEN if address == ours and SOURCE_TOKEN not in os.environ else SOURCE_TOKEN
    source = _find(address, variable, "--from", theirs)
    target = _find(ours, vault_client.TOKEN, "rsp:vault.address", found.vault_path_prefix)
    if target.version == 1:
        raise SecretsError(
            f"{target.mount} of Vault at {ours} is KV version 1, Phalanx needs version 2: "
            f"`vault kv enable-versioning {target.mount}` turns it into one and keeps what it holds",
        )
    return source, target


def _find(address: str, variable: str, setting: str, path: str) -> Folder:
    client = vault_client.connect(address, variable=variable)
    return vault_kv.find(Access(client, address, variable, setting), path)


def _as_data(source: Folder, target: Folder, found: list[Comparison]) -> Mapping[str, object]:
    return {"from": str(source), "to": str(target), "secrets": [vars(one) for one in found]}


def _print(source: Folder, target: Folder, found: list[Comparison]) -> None:
    console = Console()
    table = Table(title=f"From {source} (KV version {source.version}) to {target}")
    table.add_column("Application", overflow="fold")
    for heading in ("Keys", "New", "Same", "Differ"):
        table.add_column(heading, justify="right")
    table.add_column("Remarks", overflow="fold")
    for one in found:
        remarks = [
            *(["deleted at the source"] if one.deleted else []),
            *(["with custom metadata"] if one.custom_metadata else []),
            *([f"differ: {', '.join(one.differs)}"] if one.differs else []),
        ]
        counts = [len(one.new), len(one.same), len(one.differs)]
        table.add_row(one.name, *(str(number) for number in (sum(counts), *counts)), "; ".join(remarks))
    console.print(table)
