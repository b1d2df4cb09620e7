"""The state and the lock of a stack in any backend, accessed with the Pulumi CLI."""

import json
import os
import re
import shutil
import socket
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from phalanx.errors import PhalanxError

_HOLDER = re.compile(r"created by (?P<user>.*)@(?P<host>[^@]*) \(pid (?P<pid>\d+)\) at (?P<since>\S+)")
"""Message of the CLI about a lock in a directory or bucket (pulumi/pulumi, pkg/backend/diy/lock.go)."""

_IN_PROGRESS = "Another update is currently in progress"
"""Message of Pulumi Cloud about a lock."""

_CONFIGURATION = {"PULUMI_CONFIG", "PULUMI_CONFIG_SECRET_KEYS"}
"""Variables in which the CLI passes the configuration to a program, with plaintext secrets; the CLI ignores them."""


class PulumiError(PhalanxError):
    """The Pulumi CLI is not installed, or failed."""


class Holder(NamedTuple):
    """The holder of a stack's lock."""

    user: str
    host: str
    pid: int
    since: str
    """Time of the lock (RFC 3339)."""

    @classmethod
    def in_cloud(cls, url: str) -> "Holder":
        """Return the holder of a lock in Pulumi Cloud, which does not name its process."""
        return cls("an update", url, 0, "an unknown time")

    @property
    def stale(self) -> bool:
        """True if the process has exited; a process on another host is assumed to be running."""
        return self.host == socket.gethostname() and not _is_running(self.pid)

    def __str__(self) -> str:
        if not self.pid:
            return f"{self.user} in {self.host}"
        return f"{self.user}@{self.host} (process {self.pid}, since {self.since})"


@dataclass(frozen=True)
class PulumiStack:
    """A stack of the project in a directory.

    Attributes:
        name: Name of the stack.
        directory: Directory of the project.
        variables: Environment variables for the CLI in addition to those of this process.
        timeout: Seconds after which a command of the CLI is stopped; it must not change anything. None for no limit.
    """

    name: str
    directory: Path = Path()
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout: float | None = None

    def export(self, *, secrets: bool = False) -> dict[str, Any]:
        """Return the state as a document.

        Args:
            secrets: Whether to include secrets in plaintext; such a document must stay in memory.

        Raises:
            PulumiError: The CLI failed.
        """
        shown = ["--show-secrets"] if secrets else []
        document: dict[str, Any] = json.loads(self._run("stack", "export", *shown))
        return document

    def replace(self, document: Mapping[str, Any]) -> None:
        """Replace the state with a document; the CLI validates it, encrypts secrets and removes pending operations.

        Raises:
            PulumiError: The CLI failed, for example because the document is invalid or the stack is locked.
        """
        self._run("stack", "import", text=json.dumps(document))

    def configured(self, key: str) -> str:
        """Return a value of the stack's configuration: text, or an object as JSON, with its secrets in plaintext.

        Raises:
            PulumiError: The CLI failed, for example because it cannot decrypt the secrets.
        """
        return self._run("config", "get", key)

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the last update, without secrets; empty if there was none.

        Raises:
            PulumiError: The CLI failed, for example because the stack does not exist.
        """
        found: dict[str, Any] = json.loads(self._run("stack", "output", "--json"))
        return found

    def refresh(self, urns: Iterable[str]) -> None:
        """Refresh the state of some resources.

        Raises:
            PulumiError: The CLI failed.
        """
        targets = [f"--target={urn}" for urn in urns]
        self._run("refresh", "--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress", *targets)

    def planned(self) -> list[dict[str, Any]]:
        """Return the resources that `up` would create, as in a state but without IDs; secrets are masked.

        Raises:
            PulumiError: The preview failed.
        """
        steps = json.loads(self._run("preview", "--json"))["steps"]
        return [each["newState"] for each in steps if each["op"] == "create"]

    def holders(self, *, read_only: bool = False) -> list[Holder] | None:
        """Return the holders of the stack's lock.

        Args:
            read_only: Whether to write nothing, not even a lock; then only the lock of Pulumi Cloud can be read.

        Returns:
            The holders, or None if they cannot be determined without writing.

        Raises:
            PulumiError: The CLI failed, for example because the stack does not exist.
        """
        url = str(json.loads(self._checked(["whoami", "--json"]))["url"])
        if url.startswith(("https://", "http://")):
            return [Holder.in_cloud(url)] if self._in_progress() else []
        return None if read_only else self._lock_files()

    def _in_progress(self) -> bool:
        organization, separator, _ = self.name.partition("/")
        filters = ["--organization", organization] if separator else []
        listed = json.loads(self._checked(["stack", "ls", "--json", *filters]))
        # The CLI leaves the organization and the project out of the names where they are the defaults.
        matching = [each for each in listed if _short(each["name"]) == _short(self.name)]
        return any(each.get("updateInProgress") for each in matching)

    def _lock_files(self) -> list[Holder]:
        # A rename takes the lock; to its own name it always fails, so that nothing changes.
        done = self._attempt(["stack", "rename", self.name, *self._selection])
        found = [
            Holder(each["user"], each["host"], int(each["pid"]), each["since"])
            for each in _HOLDER.finditer(done.stderr)
        ]
        if not found and (done.returncode == 0 or "already exists" not in done.stderr):
            reason = done.stderr.strip() or f"exit code {done.returncode}, expected an error"
            raise PulumiError(f"the lock of {self.name} cannot be read with `pulumi stack rename`: {reason}")
        return found

    def unlock(self) -> None:
        """Release the locks of all holders.

        Raises:
            PulumiError: The CLI failed.
        """
        self._run("cancel", "--yes")

    @property
    def _selection(self) -> list[str]:
        return ["--stack", self.name]

    def _run(self, *arguments: str, text: str | None = None) -> str:
        return self._checked([*arguments, *self._selection], text)

    def _checked(self, arguments: Sequence[str], text: str | None = None) -> str:
        done = self._attempt(arguments, text)
        if done.returncode == 0:
            return done.stdout
        command = " ".join(("pulumi", *arguments[:2]))
        # The output of `pulumi stack` may be a state with secrets; a preview or refresh prints its errors there.
        reason = done.stderr.strip() or ("" if arguments[0] == "stack" else _errors(done.stdout)) or "no reason given"
        if _IN_PROGRESS in reason:
            reason += f"\nIf no run is in progress, run `pulumi cancel -s {self.name}`, or pass --force-unlock."
        stack = f" -s {self.name}" if "--stack" in arguments else ""
        raise PulumiError(f"`{command}{stack}` failed with exit code {done.returncode}: {reason}")

    def _attempt(self, arguments: Sequence[str], text: str | None = None) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name not in _CONFIGURATION}
        environment = {**inherited, "PULUMI_SKIP_UPDATE_CHECK": "true", **self.variables}
        program = shutil.which("pulumi", path=environment.get("PATH"))
        if program is None:
            raise PulumiError("`pulumi` is not on PATH: install it (https://www.pulumi.com/docs/install/)")
        try:
            return subprocess.run(
                [program, *arguments, "--non-interactive", "--color=never"],
                cwd=self.directory,
                env=environment,
                input=text,
                stdin=None if text is not None else subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=self.timeout,
            )
        except subprocess.TimeoutExpired:
            command = " ".join(("pulumi", *arguments[:2]))
            # The exception contains the output, which may be a state with secrets.
            raise PulumiError(f"`{command}` did not end within {self.timeout:.0f} s") from None


def _short(name: str) -> str:
    return name.rpartition("/")[2]


def _errors(output: str) -> str:
    lines = [line.strip() for line in output.splitlines()]
    return "\n".join(dict.fromkeys(line for line in lines if "error:" in line))


def _is_running(pid: int) -> bool:
    """Return whether a Pulumi process with that PID runs on this host; another program may have reused the PID."""
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
