"""What a command of this package begins with: a stack's file, and what the Phalanx repository says of it."""

from dataclasses import dataclass
from pathlib import Path

from config.loader import load_file
from config.stack_config import StackConfig
from phalanx import source
from phalanx.checkout import Checkout
from phalanx.environment import Environment


@dataclass(frozen=True, kw_only=True)
class Stack:
    """A stack as it is described."""

    config: StackConfig
    checkout: Checkout
    environment: Environment
    """The Phalanx environment."""

    @property
    def vault(self) -> str:
        """URL of the Vault that holds its secrets, as this program reaches it."""
        return self.config.vault.reached_at(self.environment.vault_url)


def load(name: str) -> Stack:
    """Read what describes a stack.

    Args:
        name: Name of the stack.

    Raises:
        ConfigError: The stack's file is missing or wrong.
        PhalanxError: The Phalanx repository or its environment is not as it should be.
    """
    config = load_file(Path(f"Pulumi.{name}.yaml"))
    phalanx = config.phalanx
    tree, found = source.locate(phalanx.repository, phalanx.revision, phalanx.environment)
    return Stack(config=config, checkout=tree, environment=found)
