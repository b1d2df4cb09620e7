"""Tools built from released Go modules. Each is pinned by the go.sum of one of the modules below this directory."""

import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.tools.versions import Correction, Tool

TOOLS_DIRECTORY: Final = Path(__file__).parent
"""Holds the modules: each is a directory with go.mod, go.sum and what we have written ourselves."""

_POLL: Final = 0.5  # seconds
_STRIP: Final = "-s -w"  # no symbol table, no debugging data: half the size
_LAST_LINES: Final = 20


class Go:
    """A Go toolchain that is new enough for all of the modules."""

    def __init__(self, program: Path) -> None:
        """Use the toolchain whose `go` command is `program`."""
        self._program = program

    def fetch(self, tools: Iterable[Tool]) -> None:
        """Download the modules that tools of one source need; a failure shows when they are built."""
        tools = list(tools)
        subprocess.run(
            [self._program, "list", "-deps", *(str(tool.package) for tool in tools)],
            cwd=module_directory(tools[0]),
            env=_environment(),
            capture_output=True,
            check=False,
        )

    def build(self, tools: Iterable[Tool], into: Path, built: Callable[[Tool], None]) -> None:
        """Compile and link tools of one module, each under its own name.

        One `go build` for all of them, so that what they share is compiled once and every core is kept busy to the end.

        Args:
            tools: Tools of one source that have a Go package.
            into: An existing directory.
            built: Called with each tool as soon as it is there, to show progress.

        Raises:
            SandboxError: The build failed; the message has the end of what Go said.
        """
        outputs = {into / _output_name(tool): tool for tool in tools}
        (module,) = {module_directory(tool) for tool in outputs.values()}
        packages = [str(tool.package) for tool in outputs.values()]
        flags = [f"-ldflags={tool.package}={_linker_flags(tool)}" for tool in outputs.values()]
        waiting = dict(outputs)
        with tempfile.TemporaryFile("w+") as log, tempfile.TemporaryDirectory() as corrected:
            sources = self._corrected(module, outputs.values(), Path(corrected))
            process = subprocess.Popen(
                [self._program, "build", "-trimpath", *sources, "-o", f"{into}{os.sep}", *flags, *packages],
                cwd=module,
                env=_environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            try:
                while process.poll() is None:
                    time.sleep(_POLL)
                    for output in [output for output in waiting if output.exists()]:
                        built(waiting.pop(output))
            except BaseException:  # an interrupted run must not leave a compiler behind
                process.terminate()
                process.wait()
                raise
            if process.returncode:
                log.seek(0)
                raise SandboxError(f"go build failed in {module}:\n{''.join(log.readlines()[-_LAST_LINES:])}")
        for output, tool in outputs.items():
            if tool in waiting.values():
                built(tool)
            output.replace(into / tool.name)

    def collect(self, tool: Tool, into: Path) -> None:
        """Copy a tool's data files out of the source of its module into the directory `into`.

        Raises:
            SandboxError: The module cannot be had, or has no such file.
        """
        if not tool.files:
            return
        source = self._source_of(module_directory(tool), str(tool.module))
        for file in tool.files:
            parts = [path for pattern in file.sources for path in sorted(source.glob(pattern))]
            if not parts:
                raise SandboxError(f"the Go module {tool.module} has none of {', '.join(file.sources)}")
            target = into / file.name
            target.write_text("---\n".join(path.read_text() for path in parts))
            target.chmod(0o755 if file.executable else 0o644)

    def _corrected(self, module: Path, tools: Iterable[Tool], into: Path) -> list[str]:
        """The flag by which Go builds from corrected copies of modules, made in the directory `into`.

        Go refuses to overlay single files of its module cache, so a whole module is copied and named in a go.mod of
        the build's own.

        Raises:
            SandboxError: A file does not say what is to be corrected.
        """
        replaced = []
        for tool in tools:
            if tool.corrections:
                copy = into / tool.name
                shutil.copytree(self._source_of(module, str(tool.module)), copy, copy_function=shutil.copyfile)
                for correction in tool.corrections:
                    _correct(copy / correction.file, correction, tool)
                replaced.append(f"replace {tool.module} => {copy}\n")
        if not replaced:
            return []
        description = into / "go.mod"
        description.write_text("\n".join([(module / "go.mod").read_text(), *replaced]))
        shutil.copyfile(module / "go.sum", into / "go.sum")
        return [f"-modfile={description}"]

    def _source_of(self, directory: Path, module: str) -> Path:
        run = subprocess.run(
            [self._program, "mod", "download", "-json", module],
            cwd=directory,
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode:
            raise SandboxError(f"cannot download the Go module {module}: {(run.stdout + run.stderr).strip()}")
        return Path(json.loads(run.stdout)["Dir"])


def module_directory(tool: Tool) -> Path:
    """The directory of the Go module that a tool is built from."""
    return TOOLS_DIRECTORY / tool.source


def _environment() -> dict[str, str]:
    """The caller's environment, whose GOPROXY and the like are the machine's business, with what the build rests on.

    No toolchain but the chosen one, no cgo (so no C compiler, and programs that run everywhere), no outer workspace.
    """
    return {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off"}


def _correct(file: Path, correction: Correction, tool: Tool) -> None:
    text = file.read_text()
    if text.count(correction.old) != 1:
        raise SandboxError(f"{tool.name} {tool.version}: {correction.file} no longer says `{correction.old}`")
    file.write_text(text.replace(correction.old, correction.new))


def _output_name(tool: Tool) -> str:
    """How `go build` names a program: the last element of its package's path that is no major version."""
    elements = str(tool.package).split("/")
    return elements[-2] if elements[-1].removeprefix("v").isdecimal() else elements[-1]


def _linker_flags(tool: Tool) -> str:
    return " ".join([_STRIP, *(f"-X {name}={value}" for name, value in tool.variables.items())])
