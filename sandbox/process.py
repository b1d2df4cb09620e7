"""Long-running processes that outlive the command which started them.

No daemon supervises them: each process starts in its own session and is recorded in a file. From the record, the next
`up` finds out whether the process still runs and whether its configuration has changed.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.files import write_atomically

ENVIRONMENT: Final[Mapping[str, str]] = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C.UTF-8",
}
"""All variables that a process gets besides its `env`. The caller's are excluded: they may be secret, and vary."""

_POLL: Final = 0.05  # seconds
_LOG_TAIL: Final = 2000  # characters
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_children: list[subprocess.Popen[bytes]] = []
"""Processes started by this interpreter, kept so that they are reaped."""


class ProcessDiedError(SandboxError):
    """A process ended while something waited for it; the message has the end of its log."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A long-running process and its record.

    A running process is the recorded one if process id, start time and boot id match.
    """

    name: str
    """Unique within `records`; also names the log."""
    argv: tuple[str, ...]
    """Command line. It must not contain a secret, as all users can read it."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables in addition to `ENVIRONMENT`."""
    cwd: Path | None = None
    user: str | None = None
    """User to run as, with its group; None for the caller's."""
    config: tuple[Path, ...] = ()
    """Files that the process reads when it starts: if one changes, `start` restarts the process."""
    records: Path = paths.RUN
    """Directory of the record `<name>.json`."""
    logs: Path = paths.LOG
    """Directory of the log `<name>.log`, to which standard output and error are appended."""

    @property
    def log(self) -> Path:
        """Path of the file that standard output and error are appended to."""
        return self.logs / f"{self.name}.log"

    def digest(self) -> str:
        """Return the SHA-256, in hex, of command, environment, user and configuration files."""
        content = {str(path): path.read_bytes().hex() if path.exists() else None for path in self.config}
        description = [self.argv, sorted(self.env.items()), str(self.cwd), self.user, content]
        return hashlib.sha256(json.dumps(description).encode()).hexdigest()

    def alive(self) -> int | None:
        """Return the id of the process, which is also that of its session, or None if it does not run."""
        record = _Record.read(self._record)
        return record.pid if record and record.runs() else None

    def current(self) -> bool:
        """Return whether the process runs with its current command, environment and configuration files."""
        record = _Record.read(self._record)
        return bool(record and record.runs() and record.digest == self.digest())

    def start(self) -> bool:
        """Start the process, or restart it if its command or a configuration file has changed.

        Returns:
            Whether a process was started; False if it runs already.

        Raises:
            SandboxError: The program is missing or cannot be executed.
        """
        if self.current():
            return False
        self.stop()
        self.logs.mkdir(parents=True, exist_ok=True)
        self.records.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            try:
                child = subprocess.Popen(
                    self.argv,
                    env={**ENVIRONMENT, **self.env},
                    cwd=self.cwd,
                    user=self.user,
                    group=self.user,
                    extra_groups=[] if self.user else None,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            except OSError as error:
                raise SandboxError(f"{self.name}: cannot run {self.argv[0]}: {error.strerror}") from error
        _children.append(child)
        _Record(pid=child.pid, started=_start_time(child.pid), boot=_boot(), digest=self.digest()).write(self._record)
        return True

    def stop(self, grace: float = 20) -> None:
        """Stop the process and its descendants with SIGTERM, and after `grace` seconds with SIGKILL.

        Returns once all have ended, so that their ports and files are free. Also stops the descendants of a killed
        process.
        """
        record = _Record.read(self._record)
        if record:
            record.signal(signal.SIGTERM)
            deadline = time.monotonic() + grace
            while record.members():
                if time.monotonic() > deadline:
                    record.signal(signal.SIGKILL)
                time.sleep(_POLL)
            _reap()
            self._record.unlink(missing_ok=True)

    def ask_to_stop(self) -> None:
        """Send SIGTERM without waiting, so that several processes can stop concurrently; then call `stop`."""
        record = _Record.read(self._record)
        if record:
            record.signal(signal.SIGTERM)

    def age(self) -> float:
        """Return the seconds since the process was started; 0 if it does not run."""
        record = _Record.read(self._record)
        if not record or record.started is None or not record.runs():
            return 0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - record.started / os.sysconf("SC_CLK_TCK")

    def members(self) -> list[int]:
        """Return the ids of the running processes of the session: the process and its descendants."""
        record = _Record.read(self._record)
        return record.members() if record else []

    def log_tail(self) -> str:
        """Return the end of the log, for error messages."""
        if not self.log.exists():
            return "(no log)"
        return self.log.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()

    @property
    def _record(self) -> Path:
        return self.records / f"{self.name}.json"


def wait_for(
    probe: Callable[[], bool], what: str | Callable[[], str], process: Process | None = None, timeout: float = 120
) -> None:
    """Wait until `probe` returns true.

    Args:
        probe: Called about five times a second; must not raise.
        what: The condition as a clause for the error message: `keystone answers at http://...`; or a function that
            returns it when the time is over, with what was found instead.
        process: Process that has to fulfil the condition; if it ends, so does the wait.
        timeout: Limit in seconds.

    Raises:
        ProcessDiedError: `process` has ended.
        SandboxError: The condition is not met within `timeout`.
    """
    deadline = time.monotonic() + timeout
    while not probe():
        if process and not process.alive():
            raise ProcessDiedError(f"{process.name} has ended; the end of {process.log}:\n{process.log_tail()}")
        if time.monotonic() > deadline:
            where = f" (see {process.log})" if process else ""
            clause = what() if callable(what) else what
            raise SandboxError(f"timed out after {timeout:.0f} s waiting until {clause}{where}")
        time.sleep(0.2)


def recorded(records: Path = paths.RUN) -> list[Process]:
    """Return all recorded processes, which can only be stopped."""
    return [Process(name=file.stem, argv=(), records=records) for file in sorted(records.glob("*.json"))]


def stop_concurrently(processes: Sequence[Process], grace: float = 20) -> None:
    """Stop processes, and wait until all have ended; `grace` as of `Process.stop`."""
    for process in processes:
        process.ask_to_stop()
    for process in processes:
        process.stop(grace)


def recorded_sessions(records: Path = paths.RUN) -> set[int]:
    """Return the ids of recorded sessions with at least one running process."""
    found = (_Record.read(file) for file in records.glob("*.json"))
    return {record.pid for record in found if record and record.members()}


def memory(pid: int) -> int:
    """Return the proportional set size, in bytes, of all processes in the session `pid`."""
    import psutil

    size = 0
    for member in _session_members(pid):
        with contextlib.suppress(psutil.Error):
            size += psutil.Process(member).memory_full_info().pss
    return size


@dataclass(frozen=True, kw_only=True)
class _Record:
    """The record of a started process."""

    pid: int
    started: int | None  # clock ticks since boot; None if the process ended before it could be read
    boot: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> "_Record | None":
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):  # truncated by a full disk or a crash
            return None

    def write(self, path: Path) -> None:
        write_atomically(path, json.dumps(vars(self)))

    def runs(self) -> bool:
        _reap()
        return self.boot == _boot() and self.started is not None and _start_time(self.pid) == self.started

    def members(self) -> list[int]:
        """Return the running processes of the session; none if its id belongs to another session now."""
        _reap()
        if self.boot != _boot() or _start_time(self.pid) not in {self.started, None}:
            return []
        return list(_session_members(self.pid))

    def signal(self, number: signal.Signals) -> None:
        for member in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(member, number)


def _reap() -> None:
    _children[:] = [child for child in _children if child.poll() is None]


def _boot() -> str:
    return _BOOT_ID.read_text().strip()


def _stat(pid: int) -> list[str] | None:
    """Return the fields of /proc/PID/stat from the third (state) on; None if the process has ended."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in {"Z", "X"} else fields


def _start_time(pid: int) -> int | None:
    fields = _stat(pid)
    return int(fields[19]) if fields else None


def _session_members(session: int) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal() and (fields := _stat(int(entry.name))) and int(fields[3]) == session:
            yield int(entry.name)
