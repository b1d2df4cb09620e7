"""Build tools from released Go modules, each pinned by the go.sum of a module below this directory."""

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
"""Parent of the modules: directories with go.mod, go.sum and code of this project."""

_POLL: Final = 0.5  # seconds
_STRIP: Final = "-s -w"  # no symbol table or debug data, which halves the size
_LAST_LINES: Final = 20


class Go:
    """A Go toolchain that is recent enough for all of the modules."""

    def __init__(self, program: Path) -> None:
        """Use the toolchain whose `go` command is `program`."""
        self._program = program

    def fetch(self, tools: Iterable[Tool]) -> None:
        """Download the modules that tools of one source need; errors surface in the build."""
        tools = list(tools)
        subprocess.run(
            [self._program, "list", "-deps", *(str(tool.package) for tool in tools)],
            cwd=module_directory(tools[0]),
            env=_environment(),
            capture_output=True,
            check=False,
        )

    def build(self, tools: Iterable[Tool], into: Path, built: Callable[[Tool], None]) -> None:
        """Build tools of one module, each under its own name.

        A single `go build` compiles shared packages once and keeps every core busy.

        Args:
            tools: Tools of one source that have a Go package.
            into: An existing directory.
            built: Called with each tool as soon as it is built, to show progress.

        Raises:
            SandboxError: The build failed; the message ends with the last lines of Go's output.
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
            except BaseException:  # an interrupted run must not leave a running compiler
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
        """Copy a tool's data files from the source of its module into the directory `into`.

        Raises:
            SandboxError: The module cannot be downloaded, or lacks a file.
        """
        if not tool.files:
            return
        source = self._source_of(module_directory(tool), str(tool.module))
        for file in tool.files:
            parts = [path for pattern in file.sources for path in sorted(source.glob(pattern))]
            if not parts:
                raise SandboxError(f"the Go module {tool.module} has no file that matches {', '.join(file.sources)}")
            target = into / file.name
            target.write_text("---\n".join(path.read_text() for path in parts))
            target.chmod(0o755 if file.executable else 0o644)

    def _corrected(self, module: Path, tools: Iterable[Tool], into: Path) -> list[str]:
        """Patch copies of modules in the directory `into`, and return the flags to build from them.

        Go refuses to overlay files of its module cache, so the module is copied and replaced in a separate go.mod.

        Raises:
            SandboxError: A file does not contain the text to replace.
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
    """Return the directory of the Go module that a tool is built from."""
    return TOOLS_DIRECTORY / tool.source


def _environment() -> dict[str, str]:
    """Return the caller's environment, such as its GOPROXY, with the settings for the build.

    These fix the toolchain, disable cgo (no C compiler, static programs) and ignore an enclosing workspace.
    """
    return {**os.environ, "GOTOOLCHAIN": "local", "CGO_ENABLED": "0", "GOWORK": "off"}


def _correct(file: Path, correction: Correction, tool: Tool) -> None:
    text = file.read_text()
    if text.count(correction.old) != 1:
        raise SandboxError(
            f"{tool.name} {tool.version}: {correction.file} does not contain `{correction.old}` exactly once"
        )
    file.write_text(text.replace(correction.old, correction.new))


def _output_name(tool: Tool) -> str:
    """Return the name that `go build` gives a program: the last path element that is not a major version."""
    elements = str(tool.package).split("/")
    return elements[-2] if elements[-1].removeprefix("v").isdecimal() else elements[-1]


def _linker_flags(tool: Tool) -> str:
    return " ".join([_STRIP, *(f"-X {name}={value}" for name, value in tool.variables.items())])
