"""Records which setup steps are done. The records are part of the data: without these, the steps run again."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox import paths
from sandbox.files import write_atomically

_DIRECTORY: Final = paths.DATA / "done"


def once(step: str, fingerprint: object, action: Callable[[], object]) -> None:
    """Run `action` unless it has run for the same fingerprint.

    Args:
        step: Name of the step.
        fingerprint: Value that the result depends on; its `repr` is compared.
        action: Function to run; it must be repeatable after an interruption.
    """
    mark = _mark(step)
    digest = hashlib.sha256(repr(fingerprint).encode()).hexdigest()
    if not mark.exists() or mark.read_text() != digest:
        action()
        write_atomically(mark, digest)


def was_done(step: str) -> bool:
    """Return whether the step was ever completed, for any fingerprint."""
    return _mark(step).exists()


def _mark(step: str) -> Path:
    return _DIRECTORY / step
