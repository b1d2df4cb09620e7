"""Remembers which steps of the setup are done, beside the data that they made: without these, they are done anew."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.files import write_atomically

_DIRECTORY: Final = paths.DATA / "done"


def once(step: str, fingerprint: object, action: Callable[[], object]) -> bool:
    """Run `action` unless it was done for the same fingerprint already.

    Args:
        step: Name of the step.
        fingerprint: What the result depends on; its `repr` is compared.
        action: Must bear being run again after an interruption.

    Returns:
        Whether it was run.
    """
    mark = _mark(step)
    digest = hashlib.sha256(repr(fingerprint).encode()).hexdigest()
    if mark.exists() and mark.read_text() == digest:
        return False
    action()
    write_atomically(mark, digest)
    return True


def was_done(step: str) -> bool:
    """Whether the step was ever run to its end, for whatever fingerprint."""
    return _mark(step).exists()


def _mark(step: str) -> Path:
    return _DIRECTORY / step
