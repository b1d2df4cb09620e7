"""A stack of the program, driven by the Pulumi CLI with a local backend of the sandbox."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from pulumi import automation
from rich.console import Console

from phalanx.errors import PhalanxError
from recovery.pulumi_stack import PulumiStack
from recovery.recover import recover
from sandbox import environment, paths
from sandbox.errors import SandboxError
from sandbox.pulumi_steps import Steps

_DEBUG: Final[Mapping[str, Any]] = {"log_flow": True, "log_to_std_err": True, "log_verbosity": 2}
"""The most verbose logging without secrets: at level 3 the CLI logs what the OpenStack provider logs, EC2 credentials
included, and at level 5 plugins log properties decrypted."""


@dataclass(frozen=True, kw_only=True)
class Left:
    """A resource that `destroy` did not delete."""

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
    """Error messages; empty if the command succeeded."""
    steps: Sequence[Mapping[str, Any]] = ()
    """Each operation on a resource; see `sandbox.pulumi_steps`."""
    left: Sequence[Left] = ()
    """Resources that still exist after `destroy`."""

    def as_json(self) -> dict[str, Any]:
        """Return the outcome as JSON values without secrets."""
        return asdict(self)


@dataclass(frozen=True, kw_only=True)
class Options:
    """Options of all commands."""

    quiet: bool = False
    """Do not show progress."""
    debug: bool = False
    """Write debug logs to standard error."""
    config_file: Path | None = None
    """Configuration file to use instead of Pulumi.<stack>.yaml."""


class PulumiCli:
    """One stack of the program.

    Args:
        stack: Name of the stack; it is created if it does not exist.
        console: Console for the CLI's output.
        options: Options of the commands.

    Raises:
        SandboxError: The CLI rejects the project or the stack.
    """

    def __init__(self, stack: str, console: Console, options: Options) -> None:
        self._stack = select(stack)
        self._console = console
        self._steps = Steps()
        self._show: dict[str, Any] = {
            "on_event": self._note,
            "on_output": None if options.quiet else self._print,
            "color": "always" if console.is_terminal else "never",
            **({"config_file": str(options.config_file)} if options.config_file else {}),
            **({**_DEBUG, "on_error": self._print} if options.debug else {}),
        }

    def preview(self) -> Outcome:
        """Show what `up` would change."""
        return self._run(lambda: self._stack.preview(diff=True, **self._show).change_summary)

    def up(self) -> Outcome:
        """Create, update and delete resources as the program describes them."""
        self._recover()
        return self._run(lambda: _changes(self._stack.up(show_secrets=False, **self._show).summary))

    def refresh(self) -> Outcome:
        """Read all resources and record their changes in the state."""
        self._recover()
        return self._run(lambda: _changes(self._stack.refresh(show_secrets=False, **self._show).summary))

    def destroy(self) -> Outcome:
        """Delete all resources that are not protected."""
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
        """Recover from a killed run, so that the command can continue.

        Raises:
            SandboxError: Another run is in progress, or the recovery is undecided.
        """
        try:
            report = recover(PulumiStack(self._stack.name, paths.CHECKOUT), progress=self._print)
        except PhalanxError as error:
            raise SandboxError(str(error)) from error
        lines = "\n".join(report.lines())
        if report.undecided:
            raise SandboxError(lines)
        if report.items or report.unlocked:
            self._print(lines)

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
                reason="protected" if each.get("protect") else "required by a protected resource",
            )
            for each in deployment.get("resources", [])
            if each.get("custom") and not each["type"].startswith("pulumi:providers:")
        ]

    def _note(self, event: automation.EngineEvent) -> None:
        self._steps.note(event)

    def _print(self, text: str) -> None:
        self._console.out(text, highlight=False)


def select(stack: str) -> automation.Stack:
    """Return a stack of the sandbox's backend, creating it if it does not exist.

    Raises:
        SandboxError: The CLI rejects the project or the stack.
    """
    workspace = automation.LocalWorkspaceOptions(work_dir=str(paths.CHECKOUT), env_vars=environment.variables())
    try:
        return automation.create_or_select_stack(stack, work_dir=str(paths.CHECKOUT), opts=workspace)
    except automation.CommandError as error:
        raise SandboxError(f"the Pulumi CLI rejects the stack {stack!r}: {_reasons(error)}") from error


def _changes(summary: automation.UpdateSummary) -> Mapping[Any, int]:
    return summary.resource_changes or {}


def _reasons(error: automation.CommandError) -> str:
    """Return the errors in the CLI's output, each with its further lines, or all of the output if it has none."""
    reasons: list[str] = []
    indentation: int | None = None
    for line in str(error).splitlines():
        text = line.strip()
        if text.startswith("error:"):
            wanted = "program exited with non-zero" not in text
            indentation = len(line) - len(line.lstrip()) if wanted else None
            reasons += [text] if wanted else []
        elif indentation is not None and text and len(line) - len(line.lstrip()) > indentation:
            # These lines include the causes that the program found.
            reasons.append(f"  {text}")
        else:
            indentation = None
    return "\n".join(dict.fromkeys(reasons)) or str(error)
