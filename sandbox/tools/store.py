"""Where the tools are kept: in the user's cache, by version, outside any checkout.

tools/<name>/<version>-<digest>/   one tool with its files: whole, or not there
tools/bin/<digest>/                links to one set of them, for PATH
tools/pulumi/<digest>/             what the Pulumi CLI calls its home, with links to its plugins
"""

import contextlib
import fcntl
import hashlib
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

from sandbox import paths
from sandbox.tools.downloads import bundled_directory
from sandbox.tools.golang import TOOLS_DIRECTORY, module_directory
from sandbox.tools.installed import fits, plugin_directory, version_of
from sandbox.tools.versions import TOOLS, Tool


def home() -> Path:
    """The directory of all that is kept."""
    return paths.CACHE / "tools"


def bin_dir() -> Path:
    """The directory that holds the tools, named by their versions; nothing is built, so it may not exist yet."""
    return home() / "bin" / _digest(*TOOLS.values())


def pulumi_home() -> Path:
    """The CLI's PULUMI_HOME. Not the user's own: our builds of the plugins must not reach their other projects."""
    return home() / "pulumi" / _digest(*TOOLS.values())


def is_kept(tool: Tool) -> bool:
    """Whether the cache has the tool and its files; a program of this machine must still have the version."""
    place = _place(tool)
    if not all((place / name).exists() for name in _file_names(tool)):
        return False
    program = place / tool.name
    return not program.is_symlink() or fits(tool, version_of(tool, program))


def is_linked(tool: Tool) -> bool:
    """Whether all of the tool's links are there."""
    return all(link.is_symlink() and link.readlink() == target for link, target in _links(tool).items())


def keep(tool: Tool, source: Path) -> None:
    """Move a finished tool from the directory `source` into the cache, all of its files at once.

    Args:
        tool: The tool.
        source: Has the program, under the tool's name, and its files; must be on the cache's file system.
    """
    finished = source / f"{tool.name}.finished"
    finished.mkdir()
    for name in _file_names(tool):
        (source / name).replace(finished / name)
    bundled = bundled_directory(source / tool.name)
    for file in bundled.iterdir() if bundled.exists() else ():
        file.replace(finished / file.name)
    place = _place(tool)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():  # a program of this machine that no longer has the version
        place.replace(source / f"{tool.name}.former")
    finished.replace(place)


def link(tool: Tool) -> None:
    """Make the tool's links; who uses one meanwhile finds either the former or the new target."""
    with temporary_directory() as directory:
        for place, target in _links(tool).items():
            place.parent.mkdir(parents=True, exist_ok=True)
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
    own = [Path(file).name for file in tool.own_files]
    return [*(own or [tool.name]), *(file.name for file in tool.files)]


def _links(tool: Tool) -> dict[Path, Path]:
    """Where a tool is found: link -> file in the cache."""
    targets = {name: name for name in _file_names(tool)} | dict.fromkeys(tool.aliases, tool.name)
    directory = bin_dir()
    if tool.plugin:
        directory = pulumi_home() / "plugins" / plugin_directory(tool)
    return {directory / name: _place(tool) / target for name, target in targets.items()}


def _place(tool: Tool) -> Path:
    """The tool's directory in the cache; a changed recipe or dependency of the same version gets another one."""
    return home() / tool.name / f"{tool.version}-{_digest(tool)}"


@cache
def _digest(*tools: Tool) -> str:
    """A digest of how tools come about: their entries in the table and the sources that are in this project."""
    digest = hashlib.sha256(repr(tools).encode())
    for tool in tools:
        for file in _own_sources(tool):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _own_sources(tool: Tool) -> list[Path]:
    if tool.own_files:
        return [TOOLS_DIRECTORY / file for file in tool.own_files]
    return sorted(file for file in module_directory(tool).rglob("*") if file.is_file())
