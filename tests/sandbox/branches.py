"""Branches of the sandbox's Phalanx repository."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from phalanx import processes
from sandbox import paths

_IDENTITY = ("-c", "user.name=test", "-c", "user.email=test@localhost")


@contextmanager
def branch(directory: Path, name: str, edit: Callable[[Path], None], message: str) -> Iterator[str]:
    """Push a branch with one commit on top of `main`, and delete it afterwards.

    Args:
        directory: Where to clone the repository.
        name: Name of the branch.
        edit: Function that changes or adds files in a working tree.
        message: Commit message.

    Yields:
        The name of the branch.
    """
    tree = directory / name
    _git("clone", "--quiet", str(paths.GIT), str(tree))
    edit(tree)
    _git("-C", str(tree), "add", "--all")
    _git("-C", str(tree), *_IDENTITY, "commit", "--quiet", f"--message={message}")
    _git("-C", str(tree), "push", "--quiet", "origin", f"HEAD:{name}")
    try:
        yield name
    finally:
        _git("-C", str(tree), "push", "--quiet", "origin", f":{name}")


def replace(file: str, old: str, new: str) -> Callable[[Path], None]:
    """Return an edit that replaces a text in a file; the text must occur in it."""

    def edit(tree: Path) -> None:
        text = (tree / file).read_text()
        assert old in text
        (tree / file).write_text(text.replace(old, new))

    return edit


def _git(*arguments: str) -> None:
    subprocess.run(("git", *arguments), env=processes.environment(), check=True)
