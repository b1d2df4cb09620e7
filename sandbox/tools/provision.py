"""Makes the tools be there: once a version and machine, whichever checkout asks."""

import contextlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.tools import store, toolchain
from sandbox.tools.downloads import Downloads, UnreachableError
from sandbox.tools.installed import find
from sandbox.tools.versions import TOOLS, Tool

Report = Callable[[str], None]
"""Takes one line of progress."""

_PARALLEL_DOWNLOADS: Final = 4


def ensure(names: Iterable[str] = TOOLS, report: Report = print) -> Path:
    """Bring every named tool into `store.bin_dir`, the quickest way there is.

    Each comes from this machine if the version fits, else from the official download, else from its Go module. What is
    there already costs nothing, so this may be called before each use. A second run waits for the first one.

    Args:
        names: Keys of `TOOLS`.
        report: Receives one line for each tool that was fetched or built, with the seconds it took.

    Returns:
        The directory, `store.bin_dir()`.

    Raises:
        SandboxError: A tool cannot be had, or what came is not what was asked for.
    """
    wanted = [TOOLS[name] for name in names]
    if not all(store.is_linked(tool) and store.is_kept(tool) for tool in wanted):
        with store.lock(report):
            missing = [tool for tool in wanted if not store.is_kept(tool)]
            if missing:
                _provide(missing, report)
            for tool in wanted:
                store.link(tool)
    return store.bin_dir()


def kwok_stages() -> Path:
    """The stages (`--config`) by which KWOK lets nodes get ready and pods run."""
    return store.bin_dir() / "kwok-stages.yaml"


def argocd_crds() -> Path:
    """Argo CD's custom resource definitions, to be applied server-side: they are too large for an annotation."""
    return store.bin_dir() / "argocd-crds.yaml"


def _provide(tools: list[Tool], report: Report) -> None:
    """Fetch or build tools into the cache. What is finished stays, whatever becomes of the others."""
    started = time.monotonic()

    def done(tool: Tool, how: str) -> None:
        report(f"{tool.name} {tool.version}: {how} ({time.monotonic() - started:.0f} s)")

    downloads = Downloads()
    with store.temporary_directory() as partial:
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            origins = list(pool.map(lambda tool: _without_building(tool, downloads, partial), tools))
        to_build, with_files = [], []
        for tool, origin in zip(tools, origins, strict=True):
            if origin:
                done(tool, origin)
            else:
                to_build.append(tool)
            if tool.files:
                with_files.append(tool)
            elif origin:
                store.keep(tool, partial)
        if not to_build and not with_files:
            return
        go, which = toolchain.find_or_install(store.home() / "go", downloads)
        if to_build:
            names = ", ".join(tool.name for tool in to_build)
            report(f"Building {names} with {which}: some 10 minutes on two cores where nothing is cached")
            go.build(to_build, partial, lambda tool: done(tool, "built"))
        for tool in with_files:
            go.collect(str(tool.module), tool.files, partial)
        for tool in dict.fromkeys([*to_build, *with_files]):
            store.keep(tool, partial)


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
