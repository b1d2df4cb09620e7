"""Drives the Pulumi CLI, which keeps its state in a local directory of the sandbox."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pulumi import automation
from rich.console import Console

from operations.recovery.pulumi_stack import PulumiStack
from operations.recovery.recover import recover
from phalanx.errors import PhalanxError
from sandbox import environment, paths
from sandbox.errors import SandboxError
from sandbox.pulumi_steps import Steps

_DEBUG: Final[Mapping[str, Any]] = {"debug": True, "log_flow": True, "log_to_std_err": True, "log_verbosity": 7}
"""The most that is logged without secrets: at 9 the plugins log every property that they are sent, decrypted."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """A resource that `destroy` did not delete, and the reason."""

    name: str
    type: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The result of a command."""

    summary: Mapping[str, int]
    """Number of resources by operation: ``create``, ``update``, ``same`` and so on."""
    seconds: float
    """Duration of the command."""
    errors: Sequence[str] = ()
    """Messages for people; empty if the command succeeded."""
    steps: Sequence[Mapping[str, Any]] = ()
    """Each operation on a resource; see `sandbox.pulumi_steps`."""
    left: Sequence[Left] = ()
    """Resources that still exist after `destroy`."""

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values; none is secret."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of all commands."""

    quiet: bool = False
    """Do not show progress."""
    debug: bool = False
    """Log everything to standard error."""
    config_file: Path | None = None
    """Configuration to use instead of the stack's own Pulumi.<stack>.yaml."""


class PulumiCli:
    """One stack of the program.

    Args:
        stack: Name of the stack; it is created if the backend does not have it.
        console: Where the progress of the CLI is shown.
        options: Options of the commands.

    Raises:
        SandboxError: The CLI does not accept the project or the stack.
    """

    def __init__(self, stack: str, console: Console, options: Options) -> None:
        self._stack = select(stack)
        self._console = console
        self._steps = Steps()
        self._show: dict[str, Any] = {
            "on_event": self._note,
            "on_output": None if options.quiet else self._say,
            "color": "always" if console.is_terminal else "never",
            **({"config_file": str(options.config_file)} if options.config_file else {}),
            **({**_DEBUG, "on_error": self._say} if options.debug else {}),
        }

    def preview(self) -> Outcome:
        """Show what `up` would change."""
        return self._run(lambda: self._stack.preview(diff=True, **self._show).change_summary)

    def up(self) -> Outcome:
        """Create, update and delete resources until they are as the program describes them."""
        self._recover()
        return self._run(lambda: _changes(self._stack.up(show_secrets=False, **self._show).summary))

    def refresh(self) -> Outcome:
        """Read every resource and record the differences in the state."""
        self._recover()
        return self._run(lambda: _changes(self._stack.refresh(show_secrets=False, **self._show).summary))

    def destroy(self) -> Outcome:
        """Delete what is not protected."""
        self._recover()

        def run() -> Mapping[str, int]:
            return _changes(self._stack.destroy(exclude_protected=True, show_secrets=False, **self._show).summary)

        return self._run(run, left=self._left)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """Return the stack outputs, with secret ones masked by default."""
        return {
            name: "[secret]" if output.secret and not show_secrets else output.value
            for name, output in self._stack.outputs().items()
        }

    def _recover(self) -> None:
        """Settle what a killed run was doing, so that the same command goes on.

        Raises:
            SandboxError: Another run is at work, or a person has to decide what belongs to the stack.
        """
        try:
            report = recover(PulumiStack(self._stack.name, paths.CHECKOUT), progress=self._say)
        except PhalanxError as error:
            raise SandboxError(str(error)) from error
        lines = "\n".join(report.lines())
        if report.undecided:
            raise SandboxError(lines)
        if report.items or report.unlocked:
            self._say(lines)

    def _run(self, run: Callable[[], Mapping[Any, int]], left: Callable[[], list[Left]] = list) -> Outcome:
        started = time.monotonic()
        self._steps = Steps()
        errors = []
        summary: dict[str, int] = {}
        try:
            summary = {str(getattr(verb, "value", verb)): count for verb, count in run().items()}
        except automation.CommandError as error:
            errors.append(_reasons(error))
        return Outcome(
            summary=summary,
            seconds=time.monotonic() - started,
            errors=errors,
            steps=self._steps.as_json(),
            left=left(),
        )

    def _left(self) -> list[Left]:
        deployment = self._stack.export_stack().deployment or {}
        return [
            Left(
                name=each["urn"].rpartition("::")[2],
                type=each["type"],
                reason="protected" if each.get("protect") else "needed by what is protected",
            )
            for each in deployment.get("resources", [])
            if each.get("custom") and not each["type"].startswith("pulumi:providers:")
        ]

    def _note(self, event: automation.EngineEvent) -> None:
        self._steps.note(event)

    def _say(self, text: str) -> None:
        self._console.out(text, highlight=False)


def select(stack: str) -> automation.Stack:
    """Return a stack in the sandbox's backend, created if it is not there.

    Raises:
        SandboxError: The CLI does not accept the project or the stack.
    """
    workspace = automation.LocalWorkspaceOptions(work_dir=str(paths.CHECKOUT), env_vars=environment.variables())
    try:
        return automation.create_or_select_stack(stack, work_dir=str(paths.CHECKOUT), opts=workspace)
    except automation.CommandError as error:
        raise SandboxError(f"the Pulumi CLI refuses the stack {stack!r}: {_reasons(error)}") from error


def _changes(summary: automation.UpdateSummary) -> Mapping[Any, int]:
    return summary.resource_changes or {}


def _reasons(error: automation.CommandError) -> str:
    """Extract the errors from the output of the CLI; all of it if it has none."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if line.startswith("error:") and "program exited with non-zero" not in line]
    return "\n".join(dict.fromkeys(reasons)) or str(error)
