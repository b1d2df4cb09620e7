"""Where the tools are kept: in the user's cache, by version, outside any checkout.

tools/<name>/<version>-<digest>/   one tool with its files: whole, or not there
tools/bin/<digest>/                links to one set of them, for PATH
"""

import contextlib
import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.tools.golang import MODULE
from sandbox.tools.installed import fits, version_of
from sandbox.tools.versions import TOOLS, Tool


def home() -> Path:
    """The directory of all that is kept."""
    return paths.CACHE / "tools"


def bin_dir() -> Path:
    """The directory that holds the tools, named by their versions; nothing is built, so it may not exist yet."""
    return home() / "bin" / _digest(*TOOLS.values())


def is_kept(tool: Tool) -> bool:
    """Whether the cache has the tool and its files; a program of this machine must still have the version."""
    place = _place(tool)
    if not all((place / name).exists() for name in _file_names(tool)):
        return False
    program = place / tool.name
    return not program.is_symlink() or fits(tool, version_of(tool, program))


def is_linked(tool: Tool) -> bool:
    """Whether `bin_dir` has all of the tool's links."""
    return all(link.is_symlink() and link.readlink() == target for link, target in _links(tool).items())


def keep(tool: Tool, source: Path) -> None:
    """Move a finished tool from the directory `source` into the cache, all of its files at once.

    Args:
        tool: The tool.
        source: Has the program, under the tool's name, and its files; must be on the cache's file system.

    Raises:
        SandboxError: The program does not have the version that was asked for.
    """
    found = version_of(tool, source / tool.name)
    if not fits(tool, found):
        raise SandboxError(f"{tool.name}: wanted version {tool.version}, but what came says {found or 'nothing'}")
    finished = source / f"{tool.name}.finished"
    finished.mkdir()
    for name in _file_names(tool):
        (source / name).replace(finished / name)
    place = _place(tool)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():  # a program of this machine that no longer has the version
        place.replace(source / f"{tool.name}.former")
    finished.replace(place)


def link(tool: Tool) -> None:
    """Make the tool's links in `bin_dir`; who uses one meanwhile finds either the former or the new target."""
    bin_dir().mkdir(parents=True, exist_ok=True)
    with temporary_directory() as directory:
        for place, target in _links(tool).items():
            fresh = directory / place.name
            fresh.symlink_to(target)
            fresh.replace(place)


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """A directory on the cache's file system, gone afterwards."""
    with tempfile.TemporaryDirectory(dir=home(), prefix=".partial-") as directory:
        yield Path(directory)


@contextlib.contextmanager
def lock(report: Callable[[str], None]) -> Iterator[None]:
    """Let one run at a time fill the cache; `report` is told if another one is at it."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another run is getting the tools: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _file_names(tool: Tool) -> list[str]:
    return [tool.name, *(file.name for file in tool.files)]


def _links(tool: Tool) -> dict[Path, Path]:
    """What `bin_dir` holds of a tool: link -> file in the cache."""
    targets = {name: name for name in _file_names(tool)} | dict.fromkeys(tool.aliases, tool.name)
    return {bin_dir() / name: _place(tool) / target for name, target in targets.items()}


def _place(tool: Tool) -> Path:
    """The tool's directory in the cache; a changed recipe or dependency of the same version gets another one."""
    return home() / tool.name / f"{tool.version}-{_digest(tool)}"


@cache
def _digest(*tools: Tool) -> str:
    content = repr(tools).encode() + (MODULE / "go.sum").read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]
