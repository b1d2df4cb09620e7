"""Observation of a running program from outside: command lines, environments, temporary files."""

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.sandbox.marks import Evidence

INTERVAL = 0.005
"""Seconds between two observations; even the shortest process, a `git`, runs longer."""

_LARGEST = 16 * 2**20
"""Maximum size in bytes of files to read; no temporary file of the program is larger."""


@dataclass(frozen=True)
class Seen:
    """A file at one time."""

    path: Path
    mode: int
    """Permissions of the file."""
    directory_mode: int
    """Permissions of its directory."""
    content: bytes


class Watch:
    """Observes processes and files in a loop, for the ``with`` block.

    Args:
        directories: Directories whose files are observed, recursively.
    """

    def __init__(self, directories: Sequence[Path]) -> None:
        self.directories = directories
        self._stop = threading.Event()
        # In separate threads, as reading the files takes longer than some processes run.
        self._threads = [
            threading.Thread(target=self._run, args=[look], name=look.__name__)
            for look in (self._look_at_processes, self._look_at_files)
        ]
        self._files: dict[tuple[Path, int, int, int], Seen] = {}
        self._known = {key for key, _ in self._stamps()}
        self.commands: dict[tuple[int, bytes], Evidence] = {}
        """Command lines of all processes of the machine."""
        self.environments: dict[tuple[int, bytes], Evidence] = {}
        """Environments of all descendants of this process."""
        self.looks = 0

    def __enter__(self) -> Self:
        for each in self._threads:
            each.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        for each in self._threads:
            each.join()

    @property
    def files(self) -> list[Seen]:
        """All observed versions of files, except for those that have not changed since the start."""
        return list(self._files.values())

    def _run(self, look: Callable[[], None]) -> None:
        while not self._stop.wait(INTERVAL):
            self.looks += 1
            look()

    def _look_at_processes(self) -> None:
        parents = {pid: parent for pid in _pids() if (parent := _parent(pid))}
        for pid in parents:
            command = _read(Path(f"/proc/{pid}/cmdline"))
            program = command.partition(b"\0")[0].decode(errors="replace")
            self.commands.setdefault((pid, command), Evidence(f"the command line of {program}", command))
            if _descends(pid, parents):
                environment = _read(Path(f"/proc/{pid}/environ"))
                self.environments.setdefault(
                    (pid, environment + command), Evidence(f"the environment of {_short(command)}", environment)
                )

    def _look_at_files(self) -> None:
        for key, status in self._stamps():
            if key not in self._known and status.st_size <= _LARGEST:
                self._known.add(key)
                path = key[0]
                try:
                    content, above = path.read_bytes(), path.parent.stat().st_mode
                except OSError:  # deleted
                    continue
                self._files[key] = Seen(path, status.st_mode & 0o777, above & 0o777, content)

    def _stamps(self) -> Iterator[tuple[tuple[Path, int, int, int], os.stat_result]]:
        for directory in self.directories:
            for root, _, names in os.walk(directory):
                for name in names:
                    path = Path(root, name)
                    try:
                        status = path.lstat()
                    except OSError:
                        continue
                    yield (path, status.st_ino, status.st_mtime_ns, status.st_size), status


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]


def _parent(pid: int) -> int | None:
    fields = _read(Path(f"/proc/{pid}/stat")).rpartition(b")")[2].split()
    return int(fields[1]) if fields else None


def _descends(pid: int, parents: dict[int, int]) -> bool:
    own, parent = os.getpid(), parents.get(pid)
    while parent and parent != own:
        parent = parents.get(parent)
    return parent == own


def _short(command: bytes) -> str:
    """Return a command line without the parts that differ between runs."""
    return " ".join(Path(part.decode(errors="replace")).name for part in command.rstrip(b"\0").split(b"\0")[:4])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:  # the process has ended
        return b""
