"""What runs the program, behind one interface: the Pulumi CLI where it is on PATH, else the sandbox's own engine."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

from rich.console import Console

from sandbox import stacks
from sandbox.errors import SandboxError
from sandbox.stacks import Keeper


@dataclass(frozen=True, kw_only=True)
class Left:
    """A resource that a destruction has left, and why."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    summary: Mapping[str, int]
    """How many resources met with what: ``create``, ``update``, ``same`` and so on."""
    seconds: float
    errors: Sequence[str] = ()
    """What failed, for people; empty if all went well."""
    steps: Sequence[Mapping[str, Any]] = ()
    """What happened to each resource, where the runner tells."""
    left: Sequence[Left] = ()
    """After a destruction: what still exists."""
    phases: Mapping[str, float] = field(default_factory=dict)
    """Seconds that each part took."""

    def as_json(self) -> dict[str, Any]:
        """The outcome for a machine; no secret in it."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a runner is to work."""

    quiet: bool = False
    """Show no progress."""
    debug: bool = False
    """Log everything to standard error."""
    config_file: Path | None = None
    """The stack's configuration, where it is not the project's own file for the stack."""


class Runner(Protocol):
    """Runs the program on one stack. Each command shows its progress, unless the runner was made quiet.

    Every command raises SandboxError where it could not even begin.
    """

    def preview(self) -> Outcome:
        """Tell what `up` would change."""

    def up(self) -> Outcome:
        """Bring the real resources to where the program wants them."""

    def refresh(self) -> Outcome:
        """Read every real resource and record what differs."""

    def destroy(self) -> Outcome:
        """Remove what is not protected."""

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secret ones masked unless asked for."""


def choose(stack: str, console: Console, options: Options) -> Runner:
    """The runner for a stack: the one that has it on record; for a new stack the Pulumi CLI, if it is there.

    Neither can go on with what the other made: it would make everything once more.

    Args:
        stack: Name of the stack.
        console: Where progress is shown.
        options: How to work.

    Raises:
        SandboxError: The stack's configuration is missing or malformed, or the runner that made the stack is not here.
    """
    keeper = stacks.keeper(stack)
    cli = shutil.which("pulumi") is not None
    if keeper is Keeper.CLI and not cli:
        raise SandboxError(
            f"the stack {stack!r} was made by {keeper.value}, which is not on PATH: put it there, or remove the "
            "sandbox with all its data by `python -m sandbox cloud reset`"
        )
    if keeper is Keeper.ENGINE and cli:
        console.print(
            f"The stack {stack!r} was made by {keeper.value}, which goes on with it. The Pulumi CLI takes over once "
            "nothing of it is left: set rsp:protect to false, then up and destroy.",
            soft_wrap=True,
        )
    if cli and keeper is not Keeper.ENGINE:
        from sandbox.pulumi_cli import PulumiCli  # noqa: PLC0415 - only one of the two is needed

        return PulumiCli(stack, console, options)
    from sandbox.engine.runner import EngineRunner  # noqa: PLC0415

    return EngineRunner(stack, console, options)
