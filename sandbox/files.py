"""Atomic writing of files."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> None:
    """Write `text` to `path` so that readers never see partial content, creating missing directories.

    Args:
        path: File to create or replace.
        text: New content.
        mode: Permissions, in force before the content is written.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.read_text() == text:
            path.chmod(mode)
            return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
