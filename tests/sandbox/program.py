import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sandbox import environment, paths

_AT_ONCE: Final = ("--yes", "--skip-preview")
_COMMANDS: Final = {
    "preview": ("preview",),
    "up": ("up", *_AT_ONCE),
    "refresh": ("refresh", *_AT_ONCE),
    "destroy": ("destroy", *_AT_ONCE, "--exclude-protected"),
}


@dataclass(frozen=True)
class Program:
    """The program, run by the Pulumi CLI as a person runs it after `eval "$(python -m sandbox env)"`."""

    stack: str
    config_file: Path | None = None
    """Configuration of the stack, where a test varies it (see ``tests.sandbox.configuration``)."""

    def run(self, command: str, *arguments: str) -> str:
        """Run a command of the CLI, and return its output.

        Args:
            command: ``preview``, ``up``, ``refresh`` or ``destroy``.
            arguments: Further arguments.

        Raises:
            AssertionError: It failed; with its output.
        """
        done = self.attempt(command, *arguments)
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def attempt(self, command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command as `run` does, but accept a failure."""
        return subprocess.run(
            self._command(command, *arguments),
            cwd=paths.CHECKOUT,
            env=_environment(),
            text=True,
            capture_output=True,
            check=False,
        )

    def outputs(self) -> dict[str, Any]:
        """Return the stack outputs, secret ones masked."""
        done = subprocess.run(
            ["pulumi", "stack", "output", "--json", "--stack", self.stack],
            cwd=paths.CHECKOUT,
            env=_environment(),
            text=True,
            capture_output=True,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def changes(self, command: str) -> dict[str, int]:
        """Run a command, and return the number of resources by operation, without those that stayed the same.

        Raises:
            AssertionError: It failed, or the stack has hardly any resources.
        """
        output = self.run(command, "--json")
        if command == "preview":
            counts = json.loads(output)["changeSummary"]
        else:
            (counts,) = [
                event["summaryEvent"]["resourceChanges"]
                for event in map(json.loads, output.splitlines())
                if "summaryEvent" in event
            ]
        assert sum(counts.values()) > 50, counts
        return {kind: count for kind, count in counts.items() if kind != "same" and count}

    def recover(self, *arguments: str) -> str:
        """Let a killed run go on, as a person does, and return what the command says.

        Raises:
            AssertionError: It failed, or wants a decision.
        """
        done = subprocess.run(
            [sys.executable, "-m", "operations", "recover", "--stack", self.stack, *arguments],
            cwd=paths.CHECKOUT,
            env=_environment(),
            text=True,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, f"recover ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def killed(self, command: str, when: Callable[[], bool], timeout: float = 300) -> None:
        """Run a command and kill the CLI and its program with SIGKILL as soon as ``when`` returns true.

        Provider plugins run in their own process groups and survive, as after a real kill; `recover` ends them.

        Raises:
            AssertionError: It ended by itself before, or ``when`` never returned true.
        """
        assert self.survived(command, when, timeout) is None, f"{command} ended before it could be killed"

    def survived(
        self, command: str, when: Callable[[], bool], timeout: float = 300
    ) -> subprocess.CompletedProcess[str] | None:
        """Run a command and kill it as `killed` does, unless it ends before.

        Returns:
            How it ended by itself; None if it was killed.

        Raises:
            AssertionError: ``when`` never returned true.
        """
        with tempfile.TemporaryFile("w+") as said:
            process = subprocess.Popen(
                self._command(command),
                cwd=paths.CHECKOUT,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            deadline = time.monotonic() + timeout
            try:
                while process.poll() is None and not when():
                    assert time.monotonic() < deadline, f"{command} did not come to the point within {timeout} s"
                    time.sleep(0.05)
            finally:
                code = process.poll()
                # The CLI and what shares its group, also if it has ended by itself; plugins have their own groups.
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
            if code is None:
                return None
            said.seek(0)
            return subprocess.CompletedProcess(process.args, code, stdout=said.read())

    def _command(self, command: str, *arguments: str) -> list[str]:
        varied = [f"--config-file={self.config_file}"] if self.config_file else []
        return ["pulumi", *_COMMANDS[command], "--stack", self.stack, *varied, *arguments]


def sandbox_command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the sandbox to whatever end; its output on both streams is in ``stdout``.

    Args:
        arguments: The command, for example ``up --stack sandbox``.
        variables: Environment variables beside our own; those with credentials are left out, as the command sets them.
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


def _environment() -> dict[str, str]:
    return {**os.environ, **environment.variables()}
