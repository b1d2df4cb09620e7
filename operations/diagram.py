"""Command ``diagram``: draw a deployed platform."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from config.loader import load_file
from config.stack_config import StackConfig
from diagram import mermaid, platform, svg
from operations.stack import StackName
from recovery.document import resources
from recovery.pulumi_stack import PulumiStack


class Format(StrEnum):
    """Format of a diagram."""

    SVG = "svg"
    MERMAID = "mermaid"


def main(
    stack: StackName,
    form: Annotated[Format, typer.Option("--format", help="Format of the diagram")] = Format.SVG,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write; standard output if absent", dir_okay=False)
    ] = None,
) -> None:
    """Draw a deployed stack from its state: networks, servers, clusters, Vault and applications, with their addresses.

    The diagram contains no secrets. Applications are grouped by their Argo CD project.
    """
    config = load_file(Path(f"Pulumi.{stack}.yaml"), StackConfig)
    drawn = platform.read(stack, config, resources(PulumiStack(stack).export()))
    text = svg.render(drawn) if form is Format.SVG else mermaid.render(drawn)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")
