"""Makes the tools be there: once a version and machine, whichever checkout asks."""

import contextlib
import fcntl
import hashlib
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.tools import toolchain
from sandbox.tools.downloads import Downloads, UnreachableError
from sandbox.tools.golang import MODULE
from sandbox.tools.installed import find, fits, version_of
from sandbox.tools.versions import TOOLS, Tool

Report = Callable[[str], None]
"""Takes one line of progress."""

_PARALLEL_DOWNLOADS: Final = 4


def ensure(names: Iterable[str] = TOOLS, report: Report = print) -> Path:
    """Bring every named tool into `bin_dir`, the quickest way there is.

    Each comes from this machine if the version fits, else from the official download, else from its Go module. What is
    there already costs nothing, so this may be called before each use. A second run waits for the first one.

    Args:
        names: Keys of `TOOLS`.
        report: Receives one line for each tool that was fetched or built, with the seconds it took.

    Returns:
        `bin_dir()`.

    Raises:
        SandboxError: A tool cannot be had, or what came is not what was asked for.
    """
    wanted = [TOOLS[name] for name in names]
    if not all(map(_is_ready, wanted)):
        with _lock(report):
            _provide([tool for tool in wanted if not _is_ready(tool)], report)
    return bin_dir()


def bin_dir() -> Path:
    """The directory that holds the tools, named by their versions; nothing is built, so it may not exist yet."""
    return _home() / "bin" / _digest(*TOOLS.values())


def kwok_stages() -> Path:
    """The stages (`--config`) by which KWOK lets nodes get ready and pods run."""
    return bin_dir() / "kwok-stages.yaml"


def argocd_crds() -> Path:
    """Argo CD's custom resource definitions, to be applied server-side: they are too large for an annotation."""
    return bin_dir() / "argocd-crds.yaml"


def _provide(tools: list[Tool], report: Report) -> None:
    """Fetch or build what is missing. A tool that is finished stays, whatever becomes of the others."""
    started = time.monotonic()
    downloads = Downloads()
    with tempfile.TemporaryDirectory(dir=_home(), prefix=".partial-") as directory:
        partial = Path(directory)

        def done(tool: Tool, how: str) -> None:
            report(f"{tool.name} {tool.version}: {how} ({time.monotonic() - started:.0f} s)")

        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            origins = list(pool.map(lambda tool: _without_building(tool, downloads, partial), tools))
        for tool, origin in zip(tools, origins, strict=True):
            if origin:
                done(tool, origin)
            if origin and not tool.files:
                _publish(tool, partial)
        to_build = [tool for tool, origin in zip(tools, origins, strict=True) if not origin]
        with_files = [tool for tool in tools if tool.files]
        if not to_build and not with_files:
            return
        go, which = toolchain.find_or_install(_home() / "go", downloads)
        if to_build:
            names = ", ".join(tool.name for tool in to_build)
            report(f"Building {names} with {which}: some 10 minutes on two cores where nothing is cached")
            go.build(to_build, partial, lambda tool: done(tool, "built"))
        for tool in with_files:
            go.collect(str(tool.module), tool.files, partial)
        for tool in {*to_build, *with_files}:
            _publish(tool, partial)


def _without_building(tool: Tool, downloads: Downloads, into: Path) -> str | None:
    """Put the tool into `into` without compiling; returns how it was come by, or None where it has to be built."""
    program = find(tool)
    if program:
        (into / tool.name).symlink_to(program)
        return f"found at {program}"
    if not tool.package:
        raise SandboxError(f"{tool.name} {tool.version} is missing: run `make up`, which installs requirements-dev.txt")
    if tool.download and downloads.offers(tool.download):
        with contextlib.suppress(UnreachableError):
            downloads.fetch_program(tool.download, into / tool.name)
            return "downloaded"
    return None


def _publish(tool: Tool, partial: Path) -> None:
    """Move a finished tool into its place in the cache, all of its files at once, and link it from `bin_dir`."""
    program = partial / tool.name
    if not fits(tool, found := version_of(tool, program)):
        raise SandboxError(f"{tool.name}: wanted version {tool.version}, but what came says {found or 'nothing'}")
    place = _place(tool)
    finished = partial / f"{tool.name}.finished"
    finished.mkdir()
    for name in (tool.name, *(file.name for file in tool.files)):
        (partial / name).replace(finished / name)
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():  # left from a program on PATH that no longer fits
        place.replace(partial / f"{tool.name}.former")
    finished.replace(place)
    bin_dir().mkdir(parents=True, exist_ok=True)
    for link, target in _links(tool).items():
        temporary = partial / f"{link.name}.link"
        temporary.symlink_to(target)
        temporary.replace(link)


def _is_ready(tool: Tool) -> bool:
    """Whether each of the tool's links leads to its file; a program of this machine must still have the version."""
    if not all(
        link.is_symlink() and link.readlink() == target and link.exists() for link, target in _links(tool).items()
    ):
        return False
    program = _place(tool) / tool.name
    return not program.is_symlink() or fits(tool, version_of(tool, program))


def _links(tool: Tool) -> dict[Path, Path]:
    """What `bin_dir` holds of a tool: link -> file in the cache."""
    program = _place(tool) / tool.name
    links = {bin_dir() / name: program for name in (tool.name, *tool.aliases)}
    return links | {bin_dir() / file.name: _place(tool) / file.name for file in tool.files}


def _place(tool: Tool) -> Path:
    """The tool's directory in the cache; a changed recipe or dependency of the same version gets another one."""
    return _home() / tool.name / f"{tool.version}-{_digest(tool)}"


@cache
def _digest(*tools: Tool) -> str:
    content = repr(tools).encode() + (MODULE / "go.sum").read_bytes()
    return hashlib.sha256(content).hexdigest()[:12]


def _home() -> Path:
    return paths.CACHE / "tools"


@contextlib.contextmanager
def _lock(report: Report) -> Iterator[None]:
    _home().mkdir(parents=True, exist_ok=True)
    with (_home() / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            report("Another run is getting the tools: waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
