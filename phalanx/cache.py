"""Results kept in the user's cache: a key names all that a result was made from, so that it never goes stale."""

import functools
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

T = TypeVar("T")

_KEPT = 30 * 24 * 3600
"""Seconds after its last use that a result is kept."""


def directory() -> Path:
    """Return the directory of this program in the user's cache; it need not exist."""
    home = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(home) / "rsp"


def remembered(kind: TypeAdapter[T], made_from: Any, make: Callable[[], T]) -> T:
    """Return a result of an earlier run that was made from the same, else make it and keep it for the next.

    A result that is damaged, or of another shape, counts as missing. Where the cache cannot be written nothing is kept.

    Args:
        kind: Type of the result, which is kept as JSON. It must not hold secrets.
        made_from: JSON values that together determine the result. Only their digest is kept.
        make: Makes the result. Its exceptions are raised, and not remembered.
    """
    path = directory() / "results" / f"{_digest(json.dumps([_program(), made_from], sort_keys=True).encode())}.json"
    try:
        # As bytes: a damaged file need not be text.
        digest, _, content = path.read_bytes().partition(b"\n")
        if digest == _digest(content).encode():
            found = kind.validate_json(content)
            os.utime(path)
            return found
    except (OSError, ValidationError):
        pass
    made = make()
    content = kind.dump_json(made)
    # YAML knows more than JSON, numbers as keys for example.
    if kind.validate_json(content) == made:
        with suppress(OSError):
            _write(path, _digest(content).encode() + b"\n" + content)
    return made


def digest_of(folder: Path) -> str:
    """Return a digest of the names and contents of all files below a directory, following links."""
    found = hashlib.sha256()
    for parent, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            path = Path(parent, name)
            found.update(json.dumps([str(path.relative_to(folder)), _digest(path.read_bytes())]).encode())
    return found.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@functools.cache
def _program() -> str:
    """Return a digest of this package, which may make something else of the same in another release."""
    return _digest(b"".join(path.read_bytes() for path in sorted(Path(__file__).parent.glob("*.py"))))


def _write(path: Path, content: bytes) -> None:
    """Write a file that appears only when it is complete, and delete what was not used for long."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, incomplete = tempfile.mkstemp(dir=path.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
        Path(incomplete).replace(path)
    except BaseException:
        Path(incomplete).unlink()
        raise
    oldest = time.time() - _KEPT
    for each in path.parent.iterdir():
        if each.stat().st_mtime < oldest:
            each.unlink(missing_ok=True)
