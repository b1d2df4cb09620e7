"""Input of the commands: the configuration of a stack, and its Phalanx environment."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from config.loader import load_file
from config.stack_config import StackConfig
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.environment import Environment

StackName = Annotated[str, typer.Option("--stack", "-s", help="Name of the stack")]
"""Option with the name of a stack."""


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack's configuration and Phalanx environment."""

    config: StackConfig
    checkout: Checkout
    environment: Environment
    """The Phalanx environment."""

    @property
    def vault(self) -> str:
        """URL of the stack's Vault, as this program reaches it."""
        return self.config.vault.reached_at(self.environment.vault_url)


def load(name: str) -> Stack:
    """Read the configuration of a stack, and its Phalanx environment.

    Args:
        name: Name of the stack.

    Raises:
        ConfigError: The stack's file is missing or not valid.
        PhalanxError: The Phalanx repository or its environment cannot be read or is not valid.
    """
    config = load_file(Path(f"Pulumi.{name}.yaml"), StackConfig)
    phalanx = config.phalanx
    tree, found = source.locate(phalanx.repository, phalanx.revision, phalanx.environment)
    return Stack(config=config, checkout=tree, environment=found)
