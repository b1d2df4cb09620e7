"""A cache of computed results in the user's cache directory.

A result's key covers everything that the result depends on, so that an entry never becomes stale.
"""

import functools
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

UNWRITABLE = "the cache directory cannot be written: set XDG_CACHE_HOME to one that can"
"""Start of the error message of whatever requires the cache."""

_RETENTION = 30 * 24 * 3600
"""Seconds for which an entry is kept after its last use."""


def directory() -> Path:
    """Return this program's directory in the user's cache; it may not exist yet."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "rsp"


def place(made: Path, path: Path) -> None:
    """Rename a complete directory to its final path; several processes may do so at the same time.

    Args:
        made: The directory, on the same file system.
        path: The final path.

    Raises:
        OSError: The cache directory cannot be written.
    """
    try:
        made.rename(path)
    except OSError:
        # Another process has made it in the meantime, from the same input.
        if not path.is_dir():
            raise


def cached(result_type: TypeAdapter[T], key: Any, compute: Callable[[], T]) -> T:
    """Return the cached result of an earlier run, or compute it and cache it.

    A damaged entry, or one that does not fit the type, counts as missing. If the cache is not writable, the result is
    not cached.

    Args:
        result_type: Type of the result, which is stored as JSON. It must not contain secrets.
        key: JSON values that together determine the result. Only their digest is stored.
        compute: Computes the result. Its exceptions propagate and are not cached.
    """
    path = directory() / "results" / f"{_digest(json.dumps([_package_digest(), key], sort_keys=True).encode())}.json"
    try:
        # As bytes: a damaged file may not be valid text.
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest == _digest(content).encode():
            found = result_type.validate_json(content)
            os.utime(path)
            return found
    except (OSError, ValidationError):
        pass
    result = compute()
    content = result_type.dump_json(result)
    # YAML has values that JSON cannot represent, such as mappings with numeric keys.
    if result_type.validate_json(content) == result:
        with suppress(OSError):
            _write(path, _digest(content).encode() + b"\n" + content)
    return result


def unused(folder: Path) -> Iterator[Path]:
    """Yield the entries of a directory that have not been used, and so not been touched, for `_RETENTION`."""
    oldest = time.time() - _RETENTION
    for each in folder.iterdir():
        with suppress(FileNotFoundError):  # another process has deleted it
            if each.stat().st_mtime < oldest:
                yield each


def tree_digest(folder: Path) -> str:
    """Return a digest of the names and contents of all files below a directory, following links."""
    digest = hashlib.sha256()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            digest.update(json.dumps([str(path.relative_to(folder)), _digest(path.read_bytes())]).encode())
    return digest.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@functools.cache
def _package_digest() -> str:
    """Return a digest of this package's code: another release may compute another result from the same input."""
    return _digest(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))


def _write(path: Path, content: bytes) -> None:
    """Write an entry atomically, and delete those that are `unused`."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, incomplete = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(incomplete).replace(path)
    except BaseException:
        Path(incomplete).unlink()
        raise
    for each in unused(path.parent):
        each.unlink(missing_ok=True)
