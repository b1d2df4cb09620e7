"""Python packages that Debian's OpenStack needs beside its own, each in a directory that only its users see."""

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
"""Variables of every process that runs on Debian's Python; its libraries keep caches there."""


@dataclass(frozen=True)
class PythonPackage:
    """A package that some of the services load."""

    name: str

    @property
    def directory(self) -> Path:
        """Where it is installed."""
        return paths.LIB / self.name

    @property
    def stamp(self) -> Path:
        """A file that changes with what is installed: the services that load the package must restart then."""
        return paths.LIB / f"{self.name}.installed"

    @property
    def environment(self) -> Mapping[str, str]:
        """Variables of the processes that load it."""
        return {**ENVIRONMENT, "PYTHONPATH": str(self.directory)}


DRIVERS: Final = PythonPackage("drivers")
"""The sandbox's own drivers for Magnum and Cinder, and its stand-in for ovn-controller."""

OVN_PROVIDER: Final = PythonPackage("ovn-provider")
"""Octavia's provider for OVN."""

_OVN_PROVIDER_RELEASE: Final = "ovn-octavia-provider==3.1.2"
"""In Debian's own 3.0.0 a listener stays in PENDING_UPDATE once a health monitor is made."""

_DRIVERS_SOURCE: Final = paths.CHECKOUT / "sandbox" / "drivers"
_LEFT_BY_BUILDS: Final = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")


def install() -> None:
    """Install what is missing or another version than is wanted.

    Raises:
        SandboxError: pip failed, for example because it cannot reach its index.
    """
    (paths.DATA / "home").mkdir(parents=True, exist_ok=True, mode=0o700)
    if _lacks(OVN_PROVIDER, _OVN_PROVIDER_RELEASE):
        _install(OVN_PROVIDER, _OVN_PROVIDER_RELEASE, stamp=_OVN_PROVIDER_RELEASE)
    drivers = _digest(_DRIVERS_SOURCE)
    if _lacks(DRIVERS, drivers):
        with tempfile.TemporaryDirectory() as temporary:
            # a build leaves files beside its source, which may be somebody's checkout
            source = shutil.copytree(_DRIVERS_SOURCE, Path(temporary, "drivers"), ignore=_LEFT_BY_BUILDS)
            _install(DRIVERS, "--no-build-isolation", str(source), stamp=drivers)


def _lacks(package: PythonPackage, stamp: str) -> bool:
    return not package.stamp.exists() or package.stamp.read_text() != stamp


def _install(package: PythonPackage, *arguments: str, stamp: str) -> None:
    fresh = package.directory.with_suffix(".fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    run(
        *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"--target={fresh}"),
        *("--no-deps", *arguments),  # what they depend on is Debian's, and pip would shadow it
        log="pip",
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},  # proxy, index and the like
    )
    shutil.rmtree(package.directory, ignore_errors=True)
    fresh.rename(package.directory)
    write_atomically(package.stamp, stamp)


def _digest(source: Path) -> str:
    """SHA-256, in hex, of a package's source."""
    digest = hashlib.sha256()
    for file in sorted(source.rglob("*")):
        if file.suffix in {".py", ".toml"}:
            digest.update(str(file.relative_to(source)).encode() + file.read_bytes())
    return digest.hexdigest()
