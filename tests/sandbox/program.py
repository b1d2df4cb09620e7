import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil

from sandbox import environment, paths

_AT_ONCE: Final = ("--yes", "--skip-preview")
_COMMANDS: Final = {
    "preview": ("preview",),
    "up": ("up", *_AT_ONCE),
    "refresh": ("refresh", *_AT_ONCE),
    "destroy": ("destroy", *_AT_ONCE, "--exclude-protected"),
}
_LONGEST_ERROR: Final = 300
_MOST_ERRORS: Final = 5


@dataclass(frozen=True)
class Program:
    """The program, run with the Pulumi CLI as after `eval "$(python -m sandbox env)"`."""

    stack: str
    config_file: Path | None = None
    """Configuration file to use instead of the stack's own (see ``tests.sandbox.configuration``)."""
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that differ from those of the sandbox."""
    directory: Path = paths.CHECKOUT
    """Directory of the Pulumi project."""

    def run(self, command: str, *arguments: str) -> str:
        """Run a command of the CLI and return its output.

        Args:
            command: ``preview``, ``up``, ``refresh`` or ``destroy``.
            arguments: Additional arguments.

        Raises:
            AssertionError: The command failed; the message has its errors.
        """
        done = self.attempt(command, *arguments)
        _assert_success(command, done)
        return done.stdout

    def attempt(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `run` does, but return the result even if it failed."""
        return subprocess.run(
            self._command(command, *arguments),
            cwd=self.directory,
            env=self._environment(),
            text=True,
            capture_output=True,
            check=False,
        )

    def outputs(self) -> dict[str, Any]:
        """Return the stack outputs, with secret ones masked."""
        found: dict[str, Any] = json.loads(self.manage("output", "--json", "--stack", self.stack))
        return found

    def manage(self, *arguments: str) -> str:
        """Run a subcommand of `pulumi stack` and return its output."""
        return subprocess.run(
            ["pulumi", "stack", *arguments],
            cwd=self.directory,
            env=self._environment(),
            text=True,
            capture_output=True,
            check=True,
        ).stdout

    def changes(self, command: str) -> dict[str, int]:
        """Run a command and return the number of changed resources by operation.

        The changed resources are printed, and pytest shows them if the test fails.

        Raises:
            AssertionError: The command failed, or the stack has too few resources.
        """
        output = self.run(command, "--json")
        if command == "preview":
            preview = json.loads(output)
            counts, steps = preview["changeSummary"], preview["steps"]
        else:
            events = [json.loads(line) for line in output.splitlines()]
            (counts,) = [event["summaryEvent"]["resourceChanges"] for event in events if "summaryEvent" in event]
            steps = [event["resOutputsEvent"]["metadata"] for event in events if "resOutputsEvent" in event]
        changed = [step for step in steps if step["op"] not in {"same", "refresh"}]
        print(*(f"{step['op']} {step['urn']} {step.get('detailedDiff')}" for step in changed), sep="\n")  # noqa: T201
        assert sum(counts.values()) > 50, counts
        return {kind: count for kind, count in counts.items() if kind != "same" and count}

    def recover(self, *arguments: str) -> str:
        """Run the recovery after a killed run, and return its output.

        Raises:
            AssertionError: The recovery failed, or is undecided.
        """
        return self.operate("recover", *arguments)

    def operate(self, command: str, *arguments: str) -> str:
        """Run a command of `operations`, such as ``secrets copy``, and return its output.

        Raises:
            AssertionError: The command failed.
        """
        done = self.try_to_operate(command, *arguments)
        _assert_success(command, done)
        return done.stdout

    def try_to_operate(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `operate` does, but return the result even if it failed."""
        return subprocess.run(
            [sys.executable, "-m", "operations", *command.split(), "--stack", self.stack, *arguments],
            cwd=self.directory,
            env=self._environment(),
            text=True,
            capture_output=True,
            check=False,
        )

    def kill(self, command: str, when: Callable[[], bool], timeout: float = 300) -> None:
        """Run a command, and send SIGKILL to it and its children as soon as ``when`` returns true.

        Raises:
            AssertionError: The command ended before that, or ``when`` did not return true in time.
        """
        assert self.try_to_kill(command, when, timeout) is None, f"{command} ended before it could be killed"

    def try_to_kill(
        self, command: str, when: Callable[[], bool], timeout: float = 300, *, alone: bool = False
    ) -> subprocess.CompletedProcess[str] | None:
        """Run a command and kill it as `kill` does, unless it ends before.

        Args:
            command: The command.
            when: Returns true once it is to be killed.
            timeout: Seconds until ``when`` must return true.
            alone: Whether to kill the CLI but not its plugins, which continue with their requests for some minutes.

        Returns:
            The result if the command ended by itself; None if it was killed.

        Raises:
            AssertionError: ``when`` did not return true in time.
        """
        with tempfile.TemporaryFile("w+") as log:
            process = subprocess.Popen(
                self._command(command),
                cwd=self.directory,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            deadline = time.monotonic() + timeout
            try:
                while process.poll() is None and not when():
                    assert time.monotonic() < deadline, f"{command} was not ready to be killed within {timeout} s"
                    time.sleep(0.05)
            finally:
                code = process.poll()
                process.kill()
                if not alone:
                    _kill_session(process.pid)
                process.wait()
            if code is None:
                return None
            log.seek(0)
            return subprocess.CompletedProcess(process.args, code, stdout=log.read())

    def _command(self, command: str, *arguments: str) -> list[str]:
        varied = [f"--config-file={self.config_file}"] if self.config_file else []
        return ["pulumi", *_COMMANDS[command], "--stack", self.stack, *varied, *arguments]

    def _environment(self) -> dict[str, str]:
        return {**os.environ, **environment.variables(), **self.variables}


def sandbox_command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox, and return its result with both output streams in ``stdout``.

    Args:
        arguments: The command, for example ``up --stack sandbox``.
        variables: Environment variables in addition to those of this process, except for credentials.
    """
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PULUMI_", "VAULT_"))}
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *arguments],
        cwd=paths.CHECKOUT,
        env={**own, **variables},
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )


def _assert_success(command: str, done: subprocess.CompletedProcess[str]) -> None:
    """Raise if a command failed, with its errors in a few lines: pytest repeats them at the end of its output.

    The whole output is printed, and pytest shows it above them.
    """
    if done.returncode != 0:
        print(done.stdout, done.stderr, sep="\n")  # noqa: T201
        errors = [error for line in (done.stdout + done.stderr).splitlines() for error in _errors(line)]
        shown = [textwrap.shorten(each, _LONGEST_ERROR) for each in errors[-_MOST_ERRORS:]]
        raise AssertionError("\n".join([f"{command} failed with {done.returncode}:", *shown]))


def _errors(line: str) -> list[str]:
    """Return the error in a line of the CLI's output, which consists of JSON documents with ``--json``."""
    if not line.startswith("{"):
        return [line] if "error" in line.lower() else []
    event = json.loads(line).get("diagnosticEvent", {})
    return [f"{event.get('urn', '')} {event['message']}"] if event.get("severity") == "error" else []


def _kill_session(leader: int) -> None:
    """Kill all that a process has started in its session: the CLI gives each plugin a process group of its own."""
    for each in psutil.pids():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(each) == leader:
                os.kill(each, signal.SIGKILL)
