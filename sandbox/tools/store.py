"""The store of installed tools, in the user's cache and outside any checkout.

tools/<name>/<version>-<digest>/   one complete tool with its files
tools/bin/<digest>/                links to one set of tools, for PATH
tools/pulumi/<digest>/             a PULUMI_HOME with links to its plugins
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
    """Return the root directory of the store."""
    return paths.CACHE / "tools"


def bin_dir() -> Path:
    """Return the directory with links to all tools; it does not exist before they are installed."""
    return home() / "bin" / _digest(*TOOLS.values())


def pulumi_home() -> Path:
    """Return the CLI's PULUMI_HOME, separate from the user's: their other projects must not use our plugin builds."""
    return home() / "pulumi" / _digest(*TOOLS.values())


def is_kept(tool: Tool) -> bool:
    """Return whether the store has the tool and its files; an installed program must still have the version."""
    place = _place(tool)
    if not all((place / name).exists() for name in _file_names(tool)):
        return False
    program = place / tool.name
    return not program.is_symlink() or fits(tool, version_of(tool, program))


def is_linked(tool: Tool) -> bool:
    """Return whether all of the tool's links exist."""
    return all(link.is_symlink() and link.readlink() == target for link, target in _links(tool).items())


def keep(tool: Tool, source: Path) -> None:
    """Move a finished tool from the directory `source` into the store, atomically.

    Args:
        tool: The tool.
        source: Directory with the program, under the tool's name, and its files; must be on the store's file system.
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
    if place.exists():  # an installed program that no longer has the version
        place.replace(source / f"{tool.name}.former")
    finished.replace(place)


def link(tool: Tool) -> None:
    """Create the tool's links, replacing former ones atomically."""
    with temporary_directory() as directory:
        for place, target in _links(tool).items():
            place.parent.mkdir(parents=True, exist_ok=True)
            fresh = directory / place.name
            fresh.symlink_to(target)
            fresh.replace(place)


@contextlib.contextmanager
def temporary_directory() -> Iterator[Path]:
    """Yield a temporary directory on the store's file system."""
    with tempfile.TemporaryDirectory(dir=home(), prefix=".partial-") as directory:
        yield Path(directory)


@contextlib.contextmanager
def lock(report: Callable[[str], None]) -> Iterator[None]:
    """Let only one run at a time change the store; report if another one is in progress."""
    home().mkdir(parents=True, exist_ok=True)
    with (home() / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another run is installing tools: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _file_names(tool: Tool) -> list[str]:
    own = [Path(file).name for file in tool.own_files]
    return [*(own or [tool.name]), *(file.name for file in tool.files)]


def _links(tool: Tool) -> dict[Path, Path]:
    """Return the tool's links, each with its target in the store."""
    targets = {name: name for name in _file_names(tool)} | dict.fromkeys(tool.aliases, tool.name)
    directory = bin_dir()
    if tool.plugin:
        directory = pulumi_home() / "plugins" / plugin_directory(tool)
    return {directory / name: _place(tool) / target for name, target in targets.items()}


def _place(tool: Tool) -> Path:
    """Return the tool's directory in the store, which depends on its version, recipe and dependencies."""
    return home() / tool.name / f"{tool.version}-{_digest(tool)}"


@cache
def _digest(*tools: Tool) -> str:
    """Return a digest of the tools' entries in the table and their sources in this project."""
    digest = hashlib.sha256(repr(tools).encode())
    for tool in tools:
        for file in _own_sources(tool):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _own_sources(tool: Tool) -> list[Path]:
    if tool.own_files:
        return [TOOLS_DIRECTORY / file for file in tool.own_files]
    return sorted(file for file in module_directory(tool).rglob("*") if file.is_file())
