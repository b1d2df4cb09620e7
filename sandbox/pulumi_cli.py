import json
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pulumi import automation
from rich.console import Console

from sandbox import environment, paths, pulumi_recovery, stacks
from sandbox.errors import SandboxError
from sandbox.pulumi_steps import Steps
from sandbox.runner import Left, Options, Outcome

_OPTIONS = {"PULUMI_SKIP_UPDATE_CHECK": "true"}
_DEBUG: Final[Mapping[str, Any]] = {"debug": True, "log_flow": True, "log_to_std_err": True, "log_verbosity": 9}
"""The most that the CLI and its plugins log before they log whole requests."""


class PulumiCli:
    """Runs the program by the Pulumi CLI on PATH, with its state in a local directory of the sandbox.

    Args:
        stack: Name of the stack; it is created where the backend does not have it yet.
        console: Where the CLI's own progress is shown.
        options: How to work.

    Raises:
        SandboxError: The CLI does not accept the project or the stack.
    """

    def __init__(self, stack: str, console: Console, options: Options) -> None:
        stacks.CLI_BACKEND.mkdir(mode=0o700, parents=True, exist_ok=True)
        workspace = automation.LocalWorkspaceOptions(
            work_dir=str(paths.CHECKOUT),
            env_vars={**environment.variables(), **_OPTIONS, "PULUMI_BACKEND_URL": f"file://{stacks.CLI_BACKEND}"},
        )
        try:
            self._stack = automation.create_or_select_stack(stack, work_dir=str(paths.CHECKOUT), opts=workspace)
        except automation.CommandError as error:
            raise SandboxError(f"the Pulumi CLI refuses the stack {stack!r}: {_reasons(error)}") from error
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
        """Tell what `up` would change."""
        return self._run("preview", lambda: self._stack.preview(diff=True, **self._show).change_summary)

    def up(self) -> Outcome:
        """Bring the real resources to where the program wants them."""
        return self._run("up", lambda: _changes(self._stack.up(show_secrets=False, **self._show).summary))

    def refresh(self) -> Outcome:
        """Read every real resource and record what differs."""
        return self._run("refresh", lambda: _changes(self._stack.refresh(show_secrets=False, **self._show).summary))

    def destroy(self) -> Outcome:
        """Remove what is not protected."""

        def run() -> Mapping[str, int]:
            return _changes(self._stack.destroy(exclude_protected=True, show_secrets=False, **self._show).summary)

        return self._run("destroy", run, left=self._left)

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        """The stack's outputs; secret ones masked unless asked for."""
        return {
            name: "[secret]" if output.secret and not show_secrets else output.value
            for name, output in self._stack.outputs().items()
        }

    def _run(
        self,
        command: str,
        run: Callable[[], Mapping[Any, int]],
        left: Callable[[], list[Left]] = list,
    ) -> Outcome:
        started = time.monotonic()
        self._steps = Steps()
        errors = []
        summary: dict[str, int] = {}
        try:
            self._recover()
            summary = {str(getattr(verb, "value", verb)): count for verb, count in run().items()}
        except automation.CommandError as error:
            errors.append(_reasons(error))
        seconds = time.monotonic() - started
        return Outcome(
            summary=summary,
            seconds=seconds,
            errors=errors,
            steps=self._steps.as_json(),
            left=left(),
            phases={command: seconds},
        )

    def _recover(self) -> None:
        """Take away the lock of a run that was killed, and record what it was making: the same command goes on."""
        locks = list(stacks.cli_locks(self._stack.name).glob("*.json"))
        if locks and not any(_is_held(lock) for lock in locks):
            self._stack.cancel()
            pulumi_recovery.recover(self._stack)

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


def _is_held(lock: Path) -> bool:
    """Whether the run that left this lock may still be at work: always, if it is on another machine."""
    try:
        holder = json.loads(lock.read_text())
        if holder["hostname"] != socket.gethostname():
            return True
        return Path(f"/proc/{holder['pid']}/comm").read_text().strip() == "pulumi"
    except FileNotFoundError:
        return False  # the lock is gone meanwhile, or the process is


def _changes(summary: automation.UpdateSummary) -> Mapping[Any, int]:
    return summary.resource_changes or {}


def _reasons(error: automation.CommandError) -> str:
    """What the CLI calls errors, of all that it said; everything if nothing is called so."""
    lines = [line.strip() for line in str(error).splitlines()]
    reasons = [line for line in lines if line.startswith("error:") and "program exited with non-zero" not in line]
    return "\n".join(dict.fromkeys(reasons)) or str(error)
