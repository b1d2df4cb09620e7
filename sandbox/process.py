"""Long-running processes that outlive the command which started them.

No daemon supervises them: each process is started in a session of its own, a small record says which process it is, and
the next `up` finds by it what runs, what died and what was started from another configuration.
"""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
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
"""All that a process gets beside its own `env`: the caller's variables may be secret and differ from shell to shell."""

_POLL: Final = 0.05  # seconds
_LOG_TAIL: Final = 2000  # characters
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")

_children: list[subprocess.Popen[bytes]] = []
"""Processes that this interpreter started, kept so that they are reaped when they end before it."""


class ProcessDiedError(SandboxError):
    """A process that was waited for has ended; the message carries the tail of its log."""


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process to run, and the way to find it again.

    It counts as the same process while its identity (process id, kernel start time and boot) is the recorded one.
    """

    name: str
    """Unique within `records`; names the log, too."""
    argv: tuple[str, ...]
    """Never holds a secret: everybody can read a command line."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Added to `ENVIRONMENT`."""
    cwd: Path | None = None
    user: str | None = None
    """Run as this user and its group; the caller's own where None."""
    config: tuple[Path, ...] = ()
    """Files which the process reads at its start: when one changes, `start` restarts the process."""
    records: Path = paths.RUN
    """Directory of the record `<name>.json`."""
    logs: Path = paths.LOG
    """Directory of the log `<name>.log`, to which standard output and error are appended."""

    @property
    def log(self) -> Path:
        """The file that receives the process's standard output and error."""
        return self.logs / f"{self.name}.log"

    def digest(self) -> str:
        """SHA-256, in hex, of all that decides how the process runs: command, environment, user, configured files."""
        content = {str(path): path.read_bytes().hex() if path.exists() else None for path in self.config}
        description = [self.argv, sorted(self.env.items()), str(self.cwd), self.user, content]
        return hashlib.sha256(json.dumps(description).encode()).hexdigest()

    def alive(self) -> int | None:
        """The process id (which is the session's, too) while the recorded process runs, else None."""
        record = _Record.read(self._record)
        return record.pid if record and record.runs() else None

    def current(self) -> bool:
        """Whether it runs, started from the very command, environment and files that it would be started from now."""
        record = _Record.read(self._record)
        return bool(record and record.runs() and record.digest == self.digest())

    def start(self) -> bool:
        """Start the process, or restart it where its command or a configuration file has changed.

        Returns:
            Whether a process was started; False where the right one runs already.

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
        """End the process and all that it started: SIGTERM, and SIGKILL for what is left after `grace` seconds.

        Returns once they have ended, so that a successor finds the ports and files free. What a killed leader left
        behind in its session is ended, too.
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
        """Send SIGTERM without waiting, so that many processes can end at the same time; `stop` then waits."""
        record = _Record.read(self._record)
        if record:
            record.signal(signal.SIGTERM)

    def age(self) -> float:
        """Seconds since the recorded process was started; 0 where it does not run."""
        record = _Record.read(self._record)
        if not record or record.started is None or not record.runs():
            return 0
        return time.clock_gettime(time.CLOCK_BOOTTIME) - record.started / os.sysconf("SC_CLK_TCK")

    def members(self) -> list[int]:
        """Process ids of all that was started and still runs: the process and its descendants in its session."""
        record = _Record.read(self._record)
        return record.members() if record else []

    def log_tail(self) -> str:
        """The end of the log, to be shown in an error."""
        if not self.log.exists():
            return "(no log)"
        return self.log.read_bytes()[-_LOG_TAIL:].decode(errors="replace").strip()

    @property
    def _record(self) -> Path:
        return self.records / f"{self.name}.json"


def wait_for(probe: Callable[[], bool], what: str, process: Process | None = None, timeout: float = 120) -> None:
    """Wait until `probe` says yes.

    Args:
        probe: Asked about five times a second; it returns False, and raises nothing, while the answer is no.
        what: What is waited for, for the error: `keystone answers at http://...`.
        process: The process that has to bring it about; when it dies the wait ends at once.
        timeout: Seconds.

    Raises:
        ProcessDiedError: `process` has ended.
        SandboxError: The time is over.
    """
    deadline = time.monotonic() + timeout
    while not probe():
        if process and not process.alive():
            raise ProcessDiedError(f"{process.name} has ended; {process.log} says last:\n{process.log_tail()}")
        if time.monotonic() > deadline:
            where = f" (see {process.log})" if process else ""
            raise SandboxError(f"waited {timeout:.0f} s in vain: {what}{where}")
        time.sleep(0.2)


def recorded(records: Path = paths.RUN) -> list[Process]:
    """Every process that has a record in the directory, fit to be stopped and nothing else."""
    return [Process(name=file.stem, argv=(), records=records) for file in sorted(records.glob("*.json"))]


def recorded_sessions(records: Path = paths.RUN) -> set[int]:
    """The session ids of what was started, of which anything still runs."""
    found = (_Record.read(file) for file in records.glob("*.json"))
    return {record.pid for record in found if record and record.members()}


def memory(pid: int) -> int:
    """Proportional set size, in bytes, of all processes in the session that `pid` leads."""
    return sum(_proportional_set_size(member) for member in _session_members(pid))


@dataclass(frozen=True, kw_only=True)
class _Record:
    """Which process was started, and from what."""

    pid: int
    started: int | None  # clock ticks after boot; None where it had ended before it could be read
    boot: str
    digest: str

    @classmethod
    def read(cls, path: Path) -> "_Record | None":
        try:
            return cls(**json.loads(path.read_text()))
        except FileNotFoundError:
            return None
        except (ValueError, TypeError):  # cut off by a full disk or a crash: as good as none
            return None

    def write(self, path: Path) -> None:
        write_atomically(path, json.dumps(vars(self)))

    def runs(self) -> bool:
        _reap()
        return self.boot == _boot() and self.started is not None and _start_time(self.pid) == self.started

    def members(self) -> list[int]:
        """The live processes of the recorded session; none where its number now belongs to a stranger."""
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
    """The fields of /proc/PID/stat from the third (state) on; None for no such process, or one that has ended."""
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


def _proportional_set_size(pid: int) -> int:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        pass
    return 0
