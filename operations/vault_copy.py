"""Command ``secrets copy``: copy the secrets of an environment from another Vault or path, and verify the copy."""

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from operations.stack import load
from phalanx.errors import SecretsError
from probes import vault_client, vault_kv
from probes.vault_kv import Access, Folder, SecretVersion

SOURCE_TOKEN = "VAULT_SOURCE_TOKEN"  # noqa: S105  # a variable's name
"""Environment variable with the token for the source Vault."""

_CONCURRENT_READS = 8


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Comparison of a secret of the source with that of the target, by the names of their keys, without values."""

    name: str
    new: tuple[str, ...]
    """Keys that only the source has."""
    same: tuple[str, ...]
    differs: tuple[str, ...]
    custom_metadata: bool
    """True if the source has custom metadata and the target does not."""
    deleted: bool
    """True if the source's newest version is deleted or destroyed, so that it cannot be copied."""


def main(  # noqa: PLR0913, PLR0917  # the options of the command
    stack: Annotated[str, typer.Option("--stack", "-s", help="Name of the stack to copy to")],
    address: Annotated[str, typer.Option("--from", help="URL of the Vault to copy from")],
    path: Annotated[
        str | None,
        typer.Option("--from-path", help="Mount and path to copy from (KV version 1 or 2); default: as in the target"),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Overwrite values that differ with those of the source")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the differences only; change nothing")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON")] = False,
) -> None:
    """Copy all secrets from another Vault to the stack's, and verify the copy; by default nothing is overwritten.

    Tokens: VAULT_TOKEN for the stack's Vault, VAULT_SOURCE_TOKEN for the other one.
    """
    source, target = _folders(stack, address.rstrip("/"), path)
    found = compare(source, target)
    if as_json:
        typer.echo(json.dumps(_as_data(source, target, found), indent=2))
    else:
        _print(source, target, found)
    to_write = [one for one in found if one.new or one.custom_metadata or (overwrite and one.differs)]
    if dry_run:
        return
    if to_write:
        if not yes:
            typer.confirm(f"Write {len(to_write)} secrets to {target}?", abort=True, err=True)
        for number, one in enumerate(to_write):
            try:
                write(source, target, one.name, overwrite=overwrite)
            except SecretsError as error:
                raise SecretsError(
                    f"{one.name}: {error}",
                    f"{number} of {len(to_write)} secrets are written; run the same command again to continue.",
                ) from None
    if differences := verify(compare(source, target)):
        raise SecretsError(f"{target} differs from {source}:", *differences)
    copied = sum(not one.deleted for one in found)
    typer.echo(f"Verified: {target} has all {copied} secrets of {source}.", err=as_json)


def compare(source: Folder, target: Folder) -> list[Comparison]:
    """Compare all secrets of the source with those of the target.

    Raises:
        SecretsError: One of them cannot be read, or the source has no secrets.
    """
    with ThreadPoolExecutor(_CONCURRENT_READS) as pool:
        with source.explained():
            names = source.names(pool)
            originals = list(pool.map(source.read, names))
        if not names:
            raise SecretsError(
                f"No secret exists below {source} (KV version {source.version}): check --from-path",
            )
        with target.explained():
            copies = list(pool.map(target.read, names))
    return [_compare(*each) for each in zip(names, originals, copies, strict=True)]


def write(source: Folder, target: Folder, name: str, *, overwrite: bool) -> None:
    """Copy one secret; keep other keys of the target, even if another client writes them at the same time.

    Args:
        source: Source of the copy.
        target: Target of the copy.
        name: Name of the secret.
        overwrite: Whether the source's value takes precedence if both have a key.

    Raises:
        SecretsError: A Vault fails or refuses the request.
    """
    from hvac import exceptions

    with source.explained():
        original = source.read(name)

    def merged(present: SecretVersion) -> Mapping[str, Any] | None:
        data = {**present.data, **original.data} if overwrite else {**original.data, **present.data}
        return data if _compare(name, SecretVersion(data), present).same != tuple(sorted(data)) else None

    with target.explained():
        target.update(name, merged)
        # Read again: custom metadata of a secret without versions show only once it has a version.
        if original.custom_metadata and not target.read(name).custom_metadata:
            # The operator's policy may not allow it. The verification reports missing metadata.
            with suppress(exceptions.Forbidden):
                target.write_metadata(name, original.custom_metadata)


def verify(found: list[Comparison]) -> list[str]:
    """List the differences between source and target."""
    return [
        *(f"  {one.name}/{key}: missing" for one in found for key in one.new),
        *(
            f"  {one.name}/{key}: has another value, which was kept (to overwrite it use --overwrite)"
            for one in found
            for key in one.differs
        ),
        *(
            f"  {one.name}: its custom metadata are missing (the token needs `update` on its metadata)"
            for one in found
            if one.custom_metadata
        ),
    ]


def _compare(name: str, original: SecretVersion, present: SecretVersion) -> Comparison:
    both = original.data.keys() & present.data.keys()
    # As JSON: in Python True equals 1.
    same = {key for key in both if _json(original.data[key]) == _json(present.data[key])}
    return Comparison(
        name=name,
        new=tuple(sorted(original.data.keys() - both)),
        same=tuple(sorted(same)),
        differs=tuple(sorted(both - same)),
        custom_metadata=bool(original.data and original.custom_metadata and not present.custom_metadata),
        deleted=original.deleted,
    )


def _json(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _folders(stack: str, address: str, path: str | None) -> tuple[Folder, Folder]:
    described = load(stack)
    environment, own_address = described.environment, described.vault
    source_path = (path or environment.vault_path_prefix).strip("/")
    if (address, source_path) == (own_address, environment.vault_path_prefix):
        raise SecretsError(f"--from and --from-path are the stack's own Vault and path, {source_path} of {own_address}")
    # Another path of the same Vault needs no second token.
    variable = vault_client.TOKEN if address == own_address and SOURCE_TOKEN not in os.environ else SOURCE_TOKEN
    ca_file = described.config.vault.ca_file
    source = _find(address, variable, "--from", source_path, ca_file if address == own_address else None)
    target = _find(own_address, vault_client.TOKEN, vault_client.ADDRESS, environment.vault_path_prefix, ca_file)
    if target.version == 1:
        raise SecretsError(
            f"{target.mount} of Vault at {own_address} is KV version 1, Phalanx requires version 2: upgrade it with "
            f"`vault kv enable-versioning {target.mount}`, which keeps its secrets",
        )
    return source, target


def _find(address: str, variable: str, setting: str, path: str, ca_file: Path | None = None) -> Folder:
    client = vault_client.connect(address, ca_file, variable=variable)
    return vault_kv.find(Access(client, address, variable, setting), path)


def _as_data(source: Folder, target: Folder, found: list[Comparison]) -> Mapping[str, object]:
    return {"from": str(source), "to": str(target), "secrets": [vars(one) for one in found]}


def _print(source: Folder, target: Folder, found: list[Comparison]) -> None:
    console = Console()
    table = Table(title=escape(f"From {source} (KV version {source.version}) to {target}"))
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
        table.add_row(escape(one.name), *(str(number) for number in (sum(counts), *counts)), escape("; ".join(remarks)))
    console.print(table)
