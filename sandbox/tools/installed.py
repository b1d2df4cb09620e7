"""Programs that are already installed: on PATH, in the virtual environment, or as the user's plugins."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.tools.versions import Tool

_RELEASE: Final = re.compile(r"(?<![\d.])v?(\d+)\.(\d+)\.(\d+)")
_TIMEOUT: Final = 20  # seconds


def find(tool: Tool) -> Path | None:
    """Return an installed program whose version fits a tool, or None if there is none."""
    if tool.corrections:
        return None
    candidates = [
        shutil.which(tool.name, path=str(Path(sys.executable).parent)),
        shutil.which(tool.name, path=str(Path.home() / ".pulumi" / "plugins" / plugin_directory(tool))),
        shutil.which(tool.name, path=_path()),
    ]
    programs = [Path(each) for each in candidates if each]
    return next((each for each in programs if fits(tool, version_of(tool, each))), None)


def _path() -> str:
    """Return PATH without the store: a former build must not be used in place of one with another recipe."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    return os.pathsep.join(each for each in entries if not Path(each).is_relative_to(paths.CACHE))


def version_of(tool: Tool, program: Path) -> str | None:
    """Return the version that a program prints, for example `1.36.3`, or None if it prints none."""
    if program.resolve().parent.name == plugin_directory(tool):
        return tool.version  # a plugin need not print its version; like the CLI, rely on the directory
    try:
        run = subprocess.run(
            [program, *tool.version_arguments], capture_output=True, text=True, timeout=_TIMEOUT, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    release = _RELEASE.search(run.stdout + run.stderr)
    return ".".join(release.groups()) if release else None


def plugin_directory(tool: Tool) -> str:
    """Return the name of a plugin's directory in the CLI's cache, for example `resource-openstack-v5.5.3`.

    Source: pulumi/pulumi `sdk/go/common/workspace/plugins.go`, `PluginDescriptor.Dir`.
    """
    return f"{tool.name.removeprefix('pulumi-')}-v{tool.version}"


def fits(tool: Tool, version: str | None) -> bool:
    """Return whether a version fits a tool: the same minor version, and the same or a later patch version.

    With `same_patch`, only the same version fits.
    """
    if version is None:
        return False
    if tool.same_patch:
        return version == tool.version
    found, wanted = numbers(version), numbers(tool.version)
    return found[:2] == wanted[:2] and found[2] >= wanted[2]


def numbers(version: str) -> tuple[int, ...]:
    """Return the numbers of a version for comparison: `1.26.3` is (1, 26, 3), `1.26` is (1, 26, 0)."""
    parts = [int(part) for part in version.split(".")]
    return (*parts, *(0,) * (3 - len(parts)))
