"""A Phalanx repository at one commit, on the local disk."""

import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from phalanx import cache, processes
from phalanx.errors import CheckoutError

_COMMIT = re.compile(r"[0-9a-f]{40}")
_TIMEOUT = 300.0
"""Seconds that one git command may take: a shallow clone of Phalanx takes a few."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The files of a Phalanx repository at a commit."""

    repository: str
    """URL or path that Git clones, and from which Argo CD will read the same commit."""

    revision: str
    """Branch, tag or commit that was asked for."""

    commit: str
    """The commit that the revision stood for when it was resolved: 40 hexadecimal digits."""

    path: Path
    """Directory with ``applications``, ``charts`` and ``environments``."""


def resolve(repository: str, revision: str) -> Checkout:
    """Resolve a revision to a commit, once, and have its files in the user's cache.

    A full commit that is in the cache already needs no network.

    Args:
        repository: URL (https, ssh, file) or path. Credentials come from Git's own configuration, never from the URL:
            it would show them in process lists and in the Applications.
        revision: Branch, tag, or commit with all its 40 digits.

    Raises:
        CheckoutError: The repository cannot be read, has no such revision, or the URL holds a password.
    """
    url = urlsplit(repository)
    # With https the user's name may be a token; with ssh it is "git".
    if url.password or (url.username and url.scheme in {"http", "https"}):
        raise CheckoutError(
            f"The URL of the Phalanx repository at {url.hostname} holds a password or token: "
            "take it out, and give it to Git's credential helper (git help credentials)."
        )
    commit = revision if _COMMIT.fullmatch(revision) else _commit_of(repository, revision)
    path = cache.directory() / "phalanx" / hashlib.sha256(repository.encode()).hexdigest()[:16] / commit
    if not path.is_dir():
        _clone(repository, commit, path)
    return Checkout(repository=repository, revision=revision, commit=commit, path=path)


def link(checkout: Checkout, at: Path) -> Path:
    """Give a checkout a path that stays the same from commit to commit and machine to machine.

    Args:
        checkout: Checkout to which the path shall lead.
        at: Path of a symbolic link; one that is there is replaced, in one step.

    Returns:
        The path of the link.

    Raises:
        CheckoutError: Something other than a link is there.
    """
    if at.exists() and not at.is_symlink():
        raise CheckoutError(f"{at} should be a link to the Phalanx checkout, but is something else: move it away")
    at.parent.mkdir(parents=True, exist_ok=True)
    # A link cannot be overwritten, but another can be moved over it.
    with tempfile.TemporaryDirectory(prefix=".link-", dir=at.parent) as directory:
        fresh = Path(directory) / at.name
        fresh.symlink_to(checkout.path.resolve())
        fresh.replace(at)
    return at


def _commit_of(repository: str, revision: str) -> str:
    """Ask the remote which commit a branch or tag stands for; a branch wins over a tag, as in Argo CD."""
    # An annotated tag is an object of its own: "^{}" is the commit that it points to.
    candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"]
    answer = _git(
        "ls-remote", "--", repository, *candidates, problem=f"Cannot read the Phalanx repository {repository}"
    )
    found = {name: commit for commit, _, name in (line.partition("\t") for line in answer.splitlines())}
    for name in candidates:
        if name in found:
            return found[name]
    raise CheckoutError(
        f"The Phalanx repository {repository} has no branch or tag {revision!r}; a commit needs all its 40 digits."
    )


def _clone(repository: str, commit: str, path: Path) -> None:
    """Put the files of a commit at a path, which appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".clone-", dir=path.parent) as directory:
        tree = Path(directory) / "tree"
        _git("init", "--quiet", str(tree), problem=f"Cannot write to the cache {path.parent}")
        _git(
            *("-C", str(tree), "fetch", "--quiet", "--depth=1", "--no-tags", "--", repository, commit),
            problem=f"Cannot fetch commit {commit} of the Phalanx repository {repository}",
        )
        _git("-C", str(tree), "checkout", "--quiet", "--detach", "FETCH_HEAD", problem=f"Cannot check out {commit}")
        shutil.rmtree(tree / ".git")
        try:
            tree.rename(path)
        except OSError:
            # Another process was faster; the same commit has the same files.
            if not path.is_dir():
                raise


def _git(*arguments: str, problem: str) -> str:
    """Run git and return what it prints.

    Raises:
        CheckoutError: It failed: the problem, and git's own last words.
    """
    # Never wait at a terminal for a password; speak English, for the message below; and take no repository but the
    # named one, even below a Git hook, which exports its own.
    environment = (
        {"GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
        | processes.environment()
        | {"GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    )
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        environment.pop(name, None)
    try:
        done = subprocess.run(
            ("git", *arguments), env=environment, capture_output=True, text=True, check=True, timeout=_TIMEOUT
        )
    except FileNotFoundError:
        raise CheckoutError("git is not installed: it is needed to fetch the Phalanx repository.") from None
    except subprocess.TimeoutExpired:
        raise CheckoutError(f"{problem}: git gave no answer within {_TIMEOUT:.0f} s.") from None
    except subprocess.CalledProcessError as error:
        words = [line.removeprefix("fatal: ") for line in error.stderr.splitlines() if line.strip()]
        raise CheckoutError(f"{problem}: {words[0] if words else f'git exited with {error.returncode}'}") from None
    return done.stdout
