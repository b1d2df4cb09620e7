"""Installation of the tools, once per version and machine, for all checkouts."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.tools import store, toolchain
from sandbox.tools.downloads import Downloads, UnreachableError
from sandbox.tools.golang import TOOLS_DIRECTORY, Go
from sandbox.tools.installed import find, fits, version_of
from sandbox.tools.versions import LINTERS, TOOLS, Tool

Report = Callable[[str], None]
"""Receives one line of progress."""

_PARALLEL_DOWNLOADS: Final = 4


def ensure(names: Iterable[str] = TOOLS, report: Report = print) -> Path:
    """Install the named tools into `store.bin_dir`.

    Each comes from this machine if the version fits, else from the official download, else from its Go module. This is
    fast if the tools are already installed, so call it before each use. Concurrent runs wait for each other.

    Args:
        names: Keys of `TOOLS` or `LINTERS`.
        report: Receives one line for each tool that was downloaded or built, with the seconds it took.

    Returns:
        The directory, `store.bin_dir()`.

    Raises:
        SandboxError: A tool cannot be installed, or has the wrong version.
    """
    known = {**TOOLS, **LINTERS}
    wanted = [known[name] for name in names]
    if not all(store.is_linked(tool) and store.is_kept(tool) for tool in wanted):
        with store.lock(report):
            missing = [tool for tool in wanted if not store.is_kept(tool)]
            if missing:
                _provide(missing, report)
            for tool in wanted:
                store.link(tool)
    return store.bin_dir()


def kwok_stages() -> Path:
    """Return the path of the stages (`--config`) by which KWOK simulates nodes and pods."""
    return store.bin_dir() / "kwok-stages.yaml"


def argocd_crds() -> Path:
    """Return the path of Argo CD's CRDs; apply them server-side, as they are too large for an annotation."""
    return store.bin_dir() / "argocd-crds.yaml"


def _provide(tools: list[Tool], report: Report) -> None:
    """Download or build tools into the cache; finished ones are kept if another one fails."""
    started = time.monotonic()

    def done(tool: Tool, how: str) -> None:
        report(f"{tool.name} {tool.version}: {how} ({time.monotonic() - started:.0f} s)")

    downloads = Downloads()
    with store.temporary_directory() as partial:
        with ThreadPoolExecutor(_PARALLEL_DOWNLOADS) as pool:
            origins = list(pool.map(lambda tool: _without_building(tool, downloads, partial), tools))
        to_build = []
        for tool, origin in zip(tools, origins, strict=True):
            if not origin:
                to_build.append(tool)
                continue
            done(tool, origin)
            if not tool.files:
                store.keep(tool, partial)
        unfinished = [tool for tool in tools if tool.files or tool in to_build]
        if not unfinished:
            return
        go, which = toolchain.find_or_install(store.home() / "go", downloads)
        if to_build:
            names = ", ".join(tool.name for tool in to_build)
            report(f"Building {names} with {which}: about 15 minutes on two cores without caches")
            _build(go, to_build, partial, lambda tool: done(tool, "built"))
        for tool in unfinished:
            go.collect(tool, partial)
            store.keep(tool, partial)


def _build(go: Go, tools: Iterable[Tool], into: Path, built: Callable[[Tool], None]) -> None:
    """Build the modules one by one, as each keeps every core busy, and download the next one's sources meanwhile."""
    modules: dict[str, list[Tool]] = {}
    for tool in tools:
        modules.setdefault(tool.source, []).append(tool)
    with ThreadPoolExecutor(1) as pool:
        fetched = pool.map(go.fetch, modules.values())
        for of_one_module, _ in zip(modules.values(), fetched, strict=True):
            go.build(of_one_module, into, built)
            for tool in of_one_module:
                _require_version(tool, into / tool.name)


def _require_version(tool: Tool, program: Path) -> None:
    found = version_of(tool, program)
    if not fits(tool, found):
        raise SandboxError(
            f"{tool.name}: expected version {tool.version}, but the program prints {found or 'no version'}"
        )


def _without_building(tool: Tool, downloads: Downloads, into: Path) -> str | None:
    """Put the tool into `into` without compiling, and return its origin, or None if it has to be built."""
    if tool.own_files:
        for file in tool.own_files:
            shutil.copy(TOOLS_DIRECTORY / file, into)
        return "part of the sandbox"
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
