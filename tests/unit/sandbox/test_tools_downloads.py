"""Release files are accepted only with their published checksums."""

import hashlib
import io
import re
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.errors import SandboxError
from sandbox.tools.downloads import Downloads, UnreachableError, bundled_directory
from sandbox.tools.versions import Download
from tests.unit.json_server import json_server

CONTENT = b"#!/bin/sh\necho v1.2.3\n"
UNREACHABLE = "http://127.0.0.1:1/tool"


def published(file: Path, member: str | None = None, sha256: str | None = None) -> Download:
    """Return a download of a local file for this machine's processor."""
    checksum = sha256 or hashlib.sha256(file.read_bytes()).hexdigest()
    return Download(url=file.as_uri(), sha256={Downloads().architecture: checksum}, member=member)


def archive(path: Path, member: str) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        entry = tarfile.TarInfo(member)
        entry.size = len(CONTENT)
        tar.addfile(entry, io.BytesIO(CONTENT))
    return path


def plain(path: Path) -> Path:
    path.write_bytes(CONTENT)
    return path


def test_program_is_downloaded_and_executable(tmp_path: Path) -> None:
    target = tmp_path / "tool"
    Downloads().fetch_program(published(plain(tmp_path / "release")), target)
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o755


def test_program_is_extracted_from_its_archive(tmp_path: Path) -> None:
    downloads = Downloads()
    file = archive(tmp_path / "release.tar.gz", f"linux-{downloads.architecture}/tool")
    downloads.fetch_program(published(file, member="linux-{arch}/tool"), tmp_path / "tool")
    assert (tmp_path / "tool").read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"release.tar.gz", "tool"}


@pytest.mark.parametrize("make", [plain, lambda path: archive(path, "tool")], ids=["program", "archive"])
def test_wrong_checksum_is_rejected_and_leaves_no_file(make: Callable[[Path], Path], tmp_path: Path) -> None:
    file = make(tmp_path / "release")
    with pytest.raises(SandboxError, match=f"{'0' * 64} was published") as refused:
        Downloads().fetch_program(published(file, member="tool", sha256="0" * 64), tmp_path / "tool")
    assert not isinstance(refused.value, UnreachableError), "another source must not be tried"
    assert {path.name for path in tmp_path.iterdir()} == {"release"}


def test_nothing_is_offered_after_a_failed_connection(tmp_path: Path) -> None:
    downloads = Downloads()
    file = plain(tmp_path / "release")
    assert downloads.offers(published(file))
    with pytest.raises(UnreachableError, match=re.escape(UNREACHABLE)):
        downloads.fetch_program(Download(url=UNREACHABLE, sha256={downloads.architecture: ""}), tmp_path / "tool")
    assert not downloads.offers(published(file))


def test_a_missing_file_does_not_disable_other_downloads(tmp_path: Path) -> None:
    downloads = Downloads()
    with json_server({}) as url:
        missing = Download(url=f"{url}/tool", sha256={downloads.architecture: ""})
        with pytest.raises(UnreachableError, match="404"):
            downloads.fetch_program(missing, tmp_path / "tool")
    assert downloads.offers(published(plain(tmp_path / "release")))


def test_bundled_files_are_extracted(tmp_path: Path) -> None:
    file = tmp_path / "release.tar.gz"
    with tarfile.open(file, "w:gz") as tar:
        for name in ("all/tool", "all/helper"):
            entry = tarfile.TarInfo(name)
            entry.size = len(CONTENT)
            tar.addfile(entry, io.BytesIO(CONTENT))
    download = replace(published(file, member="all/tool"), bundled=("all/helper",))
    Downloads().fetch_program(download, tmp_path / "tool")
    assert (bundled_directory(tmp_path / "tool") / "helper").stat().st_mode & 0o777 == 0o755


def test_archive_without_the_program_is_rejected(tmp_path: Path) -> None:
    file = archive(tmp_path / "release.tar.gz", "tool")
    with pytest.raises(SandboxError, match="has no file other"):
        Downloads().fetch_program(published(file, member="other"), tmp_path / "tool")


def test_nothing_is_offered_without_a_checksum_for_this_processor() -> None:
    assert not Downloads().offers(None)
    assert not Downloads().offers(Download(url=UNREACHABLE, sha256={"another": "0" * 64}))


@pytest.mark.parametrize("listed", ["{right}  release\n", "{wrong}  release.sig\n{right}  release\n"])
def test_checksum_is_read_from_the_list_of_the_release(listed: str, tmp_path: Path) -> None:
    file = plain(tmp_path / "release")
    right = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "checksums.txt").write_text(listed.format(right=right, wrong="0" * 64))
    download = Download(url=file.as_uri(), checksums=(tmp_path / "checksums.txt").as_uri())
    assert Downloads().offers(download)
    Downloads().fetch_program(download, tmp_path / "tool")
    assert (tmp_path / "tool").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("listed", "message"), [("{wrong}  release\n", "it was rejected"), ("{right}  other\n", "has no checksum")]
)
def test_file_without_a_matching_checksum_in_the_list_is_rejected(listed: str, message: str, tmp_path: Path) -> None:
    file = plain(tmp_path / "release")
    right = hashlib.sha256(CONTENT).hexdigest()
    (tmp_path / "checksums.txt").write_text(listed.format(right=right, wrong="0" * 64))
    download = Download(url=file.as_uri(), checksums=(tmp_path / "checksums.txt").as_uri())
    with pytest.raises(SandboxError, match=message) as refused:
        Downloads().fetch_program(download, tmp_path / "tool")
    assert not isinstance(refused.value, UnreachableError)
    assert not (tmp_path / "tool").exists()


def test_archive_cannot_write_outside_its_directory(tmp_path: Path) -> None:
    file = archive(tmp_path / "release.tar.gz", "../outside")
    target = tmp_path / "tree"
    target.mkdir()
    with pytest.raises(SandboxError, match="cannot extract"):
        Downloads().fetch_tree(published(file), target)
    assert not (tmp_path / "outside").exists()
