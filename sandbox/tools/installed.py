"""Programs that the machine has already: on PATH, or in the project's own virtual environment."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox.tools.versions import Tool

_RELEASE: Final = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)\.(\d+)")
_TIMEOUT: Final = 20  # seconds


def find(tool: Tool) -> Path | None:
    """The tool among the wheels of this environment or on PATH, if its version fits; None otherwise."""
    if tool.corrections:
        return None
    for directory in (str(Path(sys.executable).parent), None):
        program = shutil.which(tool.name, path=directory)
        if program and fits(tool, version_of(tool, Path(program))):
            return Path(program)
    return None


def version_of(tool: Tool, program: Path) -> str | None:
    """What the program itself says its version is, for example `1.36.3`; None if it says nothing of the kind."""
    try:
        run = subprocess.run(
            [program, *tool.version_arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    release = _RELEASE.search(run.stdout + run.stderr)
    return ".".join(release.groups()) if release else None


def fits(tool: Tool, version: str | None) -> bool:
    """Whether `version` may stand in for the tool's: the same minor version, with no older patch.

    Where the table asks for the same patch, only that one fits.
    """
    if version is None:
        return False
    if tool.same_patch:
        return version == tool.version
    found, wanted = numbers(version), numbers(tool.version)
    return found[:2] == wanted[:2] and found[2] >= wanted[2]


def numbers(version: str) -> tuple[int, ...]:
    """A version's numbers, to be compared: `1.26.3` is (1, 26, 3), `1.26` is (1, 26, 0)."""
    parts = [int(part) for part in version.split(".")]
    return (*parts, *(0,) * (3 - len(parts)))
