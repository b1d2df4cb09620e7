"""A stack's state and its lock, in whatever backend, by the Pulumi CLI alone."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from phalanx.errors import PhalanxError

_HOLDER = re.compile(r"created by (?P<user>.*)@(?P<host>[^@]*) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
"""How the CLI names the holder of a lock in a directory or bucket (pulumi/pulumi, pkg/backend/diy/lock.go)."""

_IN_PROGRESS = "Another update is currently in progress"
"""What Pulumi Cloud answers in the same case."""


class PulumiError(PhalanxError):
    """The Pulumi CLI is not there, or ended with an error."""


class Holder(NamedTuple):
    """Who has locked a stack."""

    user: str
    host: str
    pid: int
    since: str
    """When, in RFC 3339."""

    @property
    def stale(self) -> bool:
        """Whether its process is gone. One on another host cannot be seen, and counts as being at work."""
        return self.host == socket.gethostname() and not _runs(self.pid)

    def __str__(self) -> str:
        return f"{self.user}@{self.host} (process {self.pid}, since {self.since})"


@dataclass(frozen=True)
class PulumiStack:
    """A stack of the project in a directory.

    Attributes:
        name: Name of the stack.
        directory: Directory of the project.
        variables: Environment variables of the CLI beside our own.
    """

    name: str
    directory: Path = Path()
    variables: Mapping[str, str] = field(default_factory=dict)

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """The state as a document.

        Args:
            secrets: Whether secrets are in it in clear: such a document must stay in memory.

        Raises:
            PulumiError: The CLI refuses.
        """
        shown = ["--show-secrets"] if secrets else []
        document: dict[str, Any] = json.loads(self._run("stack", "export", *shown))
        return document

    def replace(self, document: Mapping[str, Any]) -> None:
        """Make a document the state; the CLI checks it and encrypts what is in clear. Pending operations are dropped.

        Raises:
            PulumiError: The CLI refuses, as for a document that is wrong or a stack that is locked.
        """
        self._run("stack", "import", text=json.dumps(document))

    def refresh(self, urns: Iterable[str]) -> None:
        """Read the real resources behind some URNs and record what they are.

        Raises:
            PulumiError: The CLI refuses.
        """
        targets = [f"--target={urn}" for urn in urns]
        self._run("refresh", "--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress", *targets)

    def planned(self) -> list[dict[str, Any]]:
        """What the program would make next, as resources of a state without their ids; secrets are masked.

        Raises:
            PulumiError: The program fails.
        """
        steps = json.loads(self._run("preview", "--json"))["steps"]
        return [each["newState"] for each in steps if each["op"] == "create"]

    def holders(self) -> list[Holder]:
        """Who has locked the stack; nobody in Pulumi Cloud, whose locks have no names."""
        # The one command that takes the lock and can change nothing: the name is taken, by the stack itself.
        done = self._attempt("stack", "rename", self.name)
        return [
            Holder(found["user"], found["host"], int(found["pid"]), found["since"])
            for found in _HOLDER.finditer(done.stderr)
        ]

    def unlock(self) -> None:
        """Remove the locks of all holders.

        Raises:
            PulumiError: The CLI refuses.
        """
        self._run("cancel", "--yes")

    def _run(self, *arguments: str, text: str | None = None) -> str:
        done = self._attempt(*arguments, text=text)
        if done.returncode == 0:
            return done.stdout
        command = " ".join(("pulumi", *arguments[:2]))
        # Its standard output may be a state with its secrets; a preview or a refresh writes its errors there.
        said = done.stderr.strip() or ("" if arguments[0] == "stack" else _errors(done.stdout)) or "no reason given"
        if _IN_PROGRESS in said:
            said += f"\nIf no run is at work: `pulumi cancel -s {self.name}`, or --force-unlock."
        raise PulumiError(f"`{command} -s {self.name}` ended with {done.returncode}: {said}")

    def _attempt(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true", **self.variables}
        program = shutil.which("pulumi", path=environment.get("PATH"))
        if program is None:
            raise PulumiError("`pulumi` is not on PATH: install it (https://www.pulumi.com/docs/install/)")
        return subprocess.run(
            [program, *arguments, "--stack", self.name, "--non-interactive", "--color=never"],
            cwd=self.directory,
            env=environment,
            input=text,
            stdin=None if text is not None else subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )


def _errors(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    return "\n".join(dict.fromkeys(line for line in lines if "error:" in line))


def _runs(pid: int) -> bool:
    """Whether a Pulumi of that process id runs on this host; the id may have been given to another program since."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    try:
        return Path(f"/proc/{pid}/comm").read_text().startswith("pulumi")
    except FileNotFoundError:
        return not Path("/proc/self/comm").exists()
