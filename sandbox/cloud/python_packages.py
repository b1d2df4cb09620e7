"""Python packages that Debian's OpenStack needs in addition, each in a directory that only its users load."""

import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.cloud.commands import run
from sandbox.files import write_atomically

ENVIRONMENT: Final = {"HOME": str(paths.DATA / "home")}
"""Variables of all processes that run Debian's Python; libraries write caches to HOME."""


@dataclass(frozen=True)
class PythonPackage:
    """A Python package that some services load."""

    name: str

    @property
    def directory(self) -> Path:
        """Return the directory that the package is installed in."""
        return paths.LIB / self.name

    @property
    def stamp(self) -> Path:
        """Return a file that changes with the installed version, so that the services that load it are restarted."""
        return paths.LIB / f"{self.name}.installed"

    @property
    def environment(self) -> Mapping[str, str]:
        """Return the variables of processes that load the package."""
        return {**ENVIRONMENT, "PYTHONPATH": str(self.directory)}


DRIVERS: Final = PythonPackage("drivers")
"""The sandbox's drivers for Magnum, Cinder and Manila, and its simulated ovn-controller."""

OVN_PROVIDER: Final = PythonPackage("ovn-provider")
"""Octavia's OVN provider."""

_OVN_PROVIDER_RELEASE: Final = "ovn-octavia-provider==3.1.2"
"""With Debian's 3.0.0, a listener stays in PENDING_UPDATE after a health monitor is created."""

_DRIVERS_SOURCE: Final = paths.CHECKOUT / "sandbox" / "drivers"
_BUILD_FILES: Final = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")


def install() -> None:
    """Install the packages that are missing or outdated.

    Raises:
        SandboxError: pip failed, for example because it cannot reach its index.
    """
    (paths.DATA / "home").mkdir(parents=True, exist_ok=True, mode=0o700)
    if _is_outdated(OVN_PROVIDER, _OVN_PROVIDER_RELEASE):
        _install(OVN_PROVIDER, _OVN_PROVIDER_RELEASE, stamp=_OVN_PROVIDER_RELEASE)
    drivers = _digest(_DRIVERS_SOURCE)
    if _is_outdated(DRIVERS, drivers):
        with tempfile.TemporaryDirectory() as temporary:
            # A build writes files next to its source.
            source = shutil.copytree(_DRIVERS_SOURCE, Path(temporary, "drivers"), ignore=_BUILD_FILES)
            _install(DRIVERS, "--no-build-isolation", str(source), stamp=drivers)


def _is_outdated(package: PythonPackage, stamp: str) -> bool:
    return not package.stamp.exists() or package.stamp.read_text() != stamp


def _install(package: PythonPackage, *arguments: str, stamp: str) -> None:
    fresh = package.directory.with_suffix(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"--target={fresh}"),
        *("--no-deps", *arguments),  # the dependencies are Debian's, and pip would shadow them
        log="pip",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},  # proxy, index and the like
    )
    shutil.rmtree(package.directory, ignore_errors=True)
    fresh.rename(package.directory)
    write_atomically(package.stamp, stamp)


def _digest(source: Path) -> str:
    """Return the SHA-256, in hex, of a package's source."""
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        if file.suffix in {".py", ".toml"}:
            digest.update(str(file.relative_to(source)).encode() + file.read_bytes())
    return digest.hexdigest()
