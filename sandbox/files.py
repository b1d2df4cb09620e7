"""Files that are whole or not there, readable by those who may."""

import contextlib
import os
import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str, mode: int = 0o600) -> bool:
    """Write `text` to `path` such that no reader ever sees a part of it; make the directories that are missing.

    Args:
        path: The file to make or replace.
        text: Its whole content.
        mode: Its permissions; they hold from the first byte on.

    Returns:
        Whether the content changed.
    """
    with contextlib.suppress(FileNotFoundError):
        if path.read_text() == text:
            path.chmod(mode)
            return False
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
    return True
