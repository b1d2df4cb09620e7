import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import paths


@dataclass(frozen=True)
class Program:
    """The program's commands, run as a person runs them, in a process of their own."""

    stack: str
    config_file: Path | None = None
    """The stack's configuration, where a test varies it (see ``tests.sandbox.configuration``)."""

    def run(self, command: str, *arguments: str, show: bool = False) -> subprocess.CompletedProcess[str]:
        """Run a command to its end.

        Args:
            command: ``preview``, ``up``, ``refresh``, ``outputs`` or ``destroy``.
            arguments: Further arguments.
            show: Let it write to the terminal instead of returning what it says.

        Raises:
            AssertionError: It failed; with all that it said.
        """
        done = subprocess.run(
            self._command(command, *arguments),
            cwd=paths.CHECKOUT,
            text=True,
            stdout=None if show else subprocess.PIPE,
            stderr=None if show else subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout or '(see above)'}"
        return done

    def attempt(self, command: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to whatever end; what it says on both streams is in ``stdout``.

        Args:
            command: As for `run`.
            arguments: Further arguments.
            variables: Environment variables beside our own; those that let clients in are left out, as the command
                finds them by itself.
        """
        own = {name: value for name, value in os.environ.items() if not name.startswith(("OS_", "PULUMI_", "VAULT_"))}
        return subprocess.run(
            self._command(command, *arguments),
            cwd=paths.CHECKOUT,
            env={**own, **variables},
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )

    def outputs(self) -> dict[str, Any]:
        """The stack's outputs, secret ones masked."""
        done = subprocess.run(
            self._command("outputs", "--json"), cwd=paths.CHECKOUT, text=True, capture_output=True, check=True
        )
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def summary(self, command: str) -> dict[str, int]:
        """How many resources a command would change, or has changed, by what was done to them."""
        done = subprocess.run(
            self._command(command, "--json"), cwd=paths.CHECKOUT, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        counts: dict[str, int] = json.loads(done.stdout)["summary"]
        return counts

    def killed(self, command: str, when: Callable[[], bool], timeout: float = 300) -> None:
        """Run a command and kill it with SIGKILL, and all that it started, as soon as ``when`` says so.

        Raises:
            AssertionError: It ended by itself before, or ``when`` never came.
        """
        process = subprocess.Popen(
            self._command(command),
            cwd=paths.CHECKOUT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + timeout
            while not when():
                assert process.poll() is None, f"{command} ended before it could be killed"
                assert time.monotonic() < deadline, f"{command} did not come to the point within {timeout} s"
                time.sleep(0.05)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self, command: str, *arguments: str) -> list[str]:
        varied = [f"--config-file={self.config_file}"] if self.config_file and command != "outputs" else []
        return [sys.executable, "-m", "sandbox", command, "--stack", self.stack, *varied, *arguments]
