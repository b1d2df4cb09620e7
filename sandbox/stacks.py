"""Where the two runners keep what they remember of a stack, and which of them has it."""

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Final

from sandbox import paths

PROJECT: Final = "rsp"
"""The name in Pulumi.yaml."""

CLI_BACKEND: Final = paths.STACKS / "backend"
"""The Pulumi CLI's own directory for the states, locks and histories of its stacks."""


class Keeper(Enum):
    """Who remembers a stack."""

    CLI = "the Pulumi CLI"
    ENGINE = "the sandbox's own engine"


def keeper(stack: str) -> Keeper | None:
    """Who has resources of a stack on record; None if nobody has."""
    return next((who for who, file in state_files(stack).items() if _has_resources(file)), None)


def state_files(stack: str) -> Mapping[Keeper, Path]:
    """The file to which each runner writes the state of a stack, whether or not it is there."""
    # For the CLI's directories see pulumi/pulumi, pkg/backend/diy.
    return {
        Keeper.ENGINE: paths.STACKS / f"{stack}.json",
        Keeper.CLI: CLI_BACKEND / ".pulumi/stacks" / PROJECT / f"{stack}.json",
    }


def cli_locks(stack: str) -> Path:
    """The directory in which the CLI keeps one file for each run that is at work on a stack."""
    return CLI_BACKEND / ".pulumi/locks/organization" / PROJECT / stack


def _has_resources(file: Path) -> bool:
    try:
        document = json.loads(file.read_text())
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True  # whose it is may well complain of it
    return bool((document.get("checkpoint", {}).get("latest") or document).get("resources"))
