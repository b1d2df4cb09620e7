"""Python packages that Debian's OpenStack needs beside its own, in a directory of the sandbox's own."""

import hashlib
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.cloud.commands import run
from sandbox.files import write_atomically

OVN_PROVIDER: Final = "ovn-octavia-provider==3.1.2"
"""In Debian's own 3.0.0 a listener stays in PENDING_UPDATE once a health monitor is made."""

STAMP: Final = paths.LIB / ".installed"
"""Changes with what is installed, so that it tells which services to restart."""

ENVIRONMENT: Final = {"HOME": str(paths.DATA / "home")}
"""Variables of every process that runs on Debian's Python; its libraries keep caches there."""

ENVIRONMENT_WITH_DRIVERS: Final = {**ENVIRONMENT, "PYTHONPATH": str(paths.LIB)}
"""Variables of those processes that use what `install` installs; they must restart when `STAMP` changes."""

_DRIVERS: Final = paths.CHECKOUT / "sandbox" / "drivers"
_LEFT_BY_BUILDS: Final = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")


def install() -> bool:
    """Install the OVN provider and the sandbox's drivers, unless these very ones are there.

    Returns:
        Whether something was installed.
    """
    (paths.DATA / "home").mkdir(parents=True, exist_ok=True, mode=0o700)
    wanted = fingerprint()
    if STAMP.exists() and STAMP.read_text() == wanted:
        return False
    fresh = paths.LIB.with_name("lib.fresh")
    shutil.rmtree(fresh, ignore_errors=True)
    with tempfile.TemporaryDirectory() as temporary:
        # a build leaves files beside its source, which may be somebody's checkout
        source = shutil.copytree(_DRIVERS, Path(temporary, "drivers"), ignore=_LEFT_BY_BUILDS)
        run(
            *(sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"--target={fresh}"),
            *("--no-deps", OVN_PROVIDER, str(source)),  # what they depend on is Debian's, and pip would shadow it
            log="pip",
            env={
                name: value for name, value in os.environ.items() if name != "PYTHONPATH"
            },  # the user's proxy and index
        )
    shutil.rmtree(paths.LIB, ignore_errors=True)
    fresh.rename(paths.LIB)
    write_atomically(STAMP, wanted)
    return True


def fingerprint() -> str:
    """Tells the set of packages that `install` installs: a SHA-256 in hex."""
    digest = hashlib.sha256(OVN_PROVIDER.encode())
    for file in sorted(_DRIVERS.rglob("*")):
        if file.suffix in {".py", ".toml"}:
            digest.update(str(file.relative_to(_DRIVERS)).encode() + file.read_bytes())
    return digest.hexdigest()
