"""Downloads of official release files, verified with their published checksums."""

import hashlib
import http.client
import platform
import shutil
import subprocess
import tarfile
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from sandbox.errors import SandboxError
from sandbox.tools.versions import Download

_CONNECT_TIMEOUT: Final = 5  # seconds; also limits the time without data during a download
_CHUNK: Final = 1 << 20  # bytes
_ARCHITECTURES: Final = {"x86_64": "amd64", "aarch64": "arm64"}
_PULUMIS_NAMES: Final = {"amd64": "x64"}


class UnreachableError(SandboxError):
    """A release file cannot be downloaded, for example because the machine reaches only package registries."""


def bundled_directory(program: Path) -> Path:
    """Return the directory of the files that a release bundles with the program downloaded to a path."""
    return program.with_name(f"{program.name}.bundled")


class Downloads:
    """A downloader of release files; after the first failed connection it offers no further downloads."""

    def __init__(self) -> None:
        self._unreachable = threading.Event()
        self.architecture = _ARCHITECTURES.get(platform.machine(), platform.machine())
        """Processor architecture, as Go names it."""

    def offers(self, download: Download | None) -> bool:
        """Return whether there is a file for this processor and no connection has failed so far."""
        published = download is not None and (self.architecture in download.sha256 or download.checksums)
        return bool(published) and not self._unreachable.is_set()

    def fetch_program(self, download: Download, target: Path) -> None:
        """Download a program and make it executable.

        Raises:
            UnreachableError: The connection failed, or the file does not exist.
            SandboxError: The checksum does not match; no file is left behind.
        """
        archive = target.with_name(f"{target.name}.download")
        try:
            self._fetch(download, archive)
            if download.member is None:
                archive.replace(target)
                target.chmod(0o755)
            else:
                with tarfile.open(archive) as tar:
                    self._extract(tar, download.member, target)
                    for member in download.bundled:
                        self._extract(tar, member, bundled_directory(target) / Path(member).name)
        finally:
            archive.unlink(missing_ok=True)

    def _extract(self, tar: tarfile.TarFile, member: str, target: Path) -> None:
        name = member.format(arch=self.architecture)
        source = tar.extractfile(name) if name in tar.getnames() else None
        if source is None:
            raise SandboxError(f"the release archive of {target.name} has no file {name}: put the program on PATH")
        target.parent.mkdir(exist_ok=True)
        with target.open("wb") as file:
            shutil.copyfileobj(source, file)
        target.chmod(0o755)

    def fetch_tree(self, download: Download, target: Path) -> None:
        """Download a .tar.gz file and extract it into the existing directory `target`; raises as `fetch_program`."""
        archive = target / ".download"
        try:
            self._fetch(download, archive)
            # The tarfile module of Debian 12's Python would also extract members outside of the target.
            unpacked = subprocess.run(
                ["tar", "--extract", "--gzip", "--no-same-owner", f"--file={archive}", f"--directory={target}"],
                capture_output=True,
                text=True,
                check=False,
            )
            if unpacked.returncode:
                raise SandboxError(f"cannot extract {download.url}: {unpacked.stderr.strip()}")
        finally:
            archive.unlink(missing_ok=True)

    def _fetch(self, download: Download, target: Path) -> None:
        cpu = _PULUMIS_NAMES.get(self.architecture, self.architecture)
        url = download.url.format(arch=self.architecture, cpu=cpu)
        expected = download.sha256.get(self.architecture)
        if expected is None:
            expected = self._published(str(download.checksums), url)
        digest = hashlib.sha256()
        with self._opened(url) as response, target.open("wb") as file:
            while chunk := response.read(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != expected:
            raise SandboxError(
                f"{url} has the SHA-256 checksum {digest.hexdigest()}, but {expected} was published: "
                "it was rejected. A proxy may have replaced it; try again, or put the program on PATH."
            )

    def _published(self, checksums: str, url: str) -> str:
        """Return the checksum of the file at `url` from the list of its release."""
        name = url.rpartition("/")[2]
        with self._opened(checksums) as response:
            lines = response.read().decode().splitlines()
        found = [line.split()[0] for line in lines if line.split()[1:] == [name]]
        if len(found) != 1:
            raise SandboxError(f"{checksums} has no checksum for {name}: put the program on PATH")
        return found[0]

    @contextmanager
    def _opened(self, url: str) -> Iterator[IO[bytes]]:
        """Open a URL; any error until the end of the `with` block is an UnreachableError."""
        try:
            with urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT) as response:  # noqa: S310 - our own table
                yield response
        except urllib.error.HTTPError as error:  # the host answers, and may have other files
            raise UnreachableError(f"cannot download {url}: {error}") from error
        except (urllib.error.URLError, http.client.HTTPException, OSError) as error:
            self._unreachable.set()
            raise UnreachableError(f"cannot download {url}: {getattr(error, 'reason', None) or error}") from error
