"""Local copy of a Phalanx repository at one commit."""

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
"""Timeout of a git command in seconds; a shallow clone of Phalanx takes a few."""


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """The files of a Phalanx repository at a commit."""

    repository: str
    """URL or path from which Git clones, and from which Argo CD reads the same commit."""

    revision: str
    """Configured branch, tag or commit."""

    commit: str
    """Hash of the commit to which the revision was resolved: 40 hexadecimal digits."""

    path: Path
    """Directory with ``applications``, ``charts`` and ``environments``."""


def resolve(repository: str, revision: str) -> Checkout:
    """Resolve a revision to a commit, and fetch its files into the user's cache.

    A full commit hash that is in the cache needs no network.

    Args:
        repository: URL (https, ssh, file) or path. Credentials come from Git's configuration, never from the URL,
            which is visible in process lists and in the Applications.
        revision: Branch, tag, or full commit hash.

    Raises:
        CheckoutError: The repository cannot be read, has no such revision, or the URL contains credentials.
    """
    url = urlsplit(repository)
    # In an https URL the user name may be a token; in an ssh URL it is "git".
    if url.password or (url.username and url.scheme in {"http", "https"}):
        raise CheckoutError(
            f"The URL of the Phalanx repository at {url.hostname} contains a password or token: "
            "remove it, and use a credential helper of Git instead (git help credentials)."
        )
    commit = revision if _COMMIT.fullmatch(revision) else _commit_of(repository, revision)
    path = cache.directory() / "phalanx" / hashlib.sha256(repository.encode()).hexdigest()[:16] / commit
    if not path.is_dir():
        _clone(repository, commit, path)
    return Checkout(repository=repository, revision=revision, commit=commit, path=path)


def link(checkout: Checkout, at: Path) -> Path:
    """Create a symbolic link to a checkout, as a path that is the same for every commit and machine.

    Args:
        checkout: Target of the link.
        at: Path of the link; an existing link is replaced atomically.

    Returns:
        The path of the link.

    Raises:
        CheckoutError: The path exists and is not a link.
    """
    if at.exists() and not at.is_symlink():
        raise CheckoutError(f"{at} exists, but is not a link to the Phalanx checkout: move it away")
    at.parent.mkdir(parents=True, exist_ok=True)
    # A link cannot be overwritten, but another one can be renamed over it.
    with tempfile.TemporaryDirectory(prefix=".link-", dir=at.parent) as directory:
        fresh = Path(directory) / at.name
        fresh.symlink_to(checkout.path.resolve())
        fresh.replace(at)
    return at


def _commit_of(repository: str, revision: str) -> str:
    """Query the remote for the commit of a branch or tag; a branch takes precedence over a tag, as in Argo CD."""
    # An annotated tag is an object of its own; "^{}" dereferences it to its commit.
    candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"]
    answer = _git(
        "ls-remote", "--", repository, *candidates, problem=f"Cannot read the Phalanx repository {repository}"
    )
    found = {name: commit for commit, _, name in (line.partition("\t") for line in answer.splitlines())}
    for name in candidates:
        if name in found:
            return found[name]
    raise CheckoutError(
        f"The Phalanx repository {repository} has no branch or tag {revision!r}; "
        "a commit must be given with all 40 digits."
    )


def _clone(repository: str, commit: str, path: Path) -> None:
    """Fetch the files of a commit to a path, atomically."""
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
            # Another process has created it in the meantime; the same commit has the same files.
            if not path.is_dir():
                raise


def _git(*arguments: str, problem: str) -> str:
    """Run git and return its output.

    Args:
        arguments: Arguments of git.
        problem: Start of the error message if it fails.

    Raises:
        CheckoutError: git failed; the message ends with git's own.
    """
    # Never prompt for a password; print messages in English; and ignore the repository that a Git hook exports.
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
        raise CheckoutError("git is not installed: it is required to fetch the Phalanx repository.") from None
    except subprocess.TimeoutExpired:
        raise CheckoutError(f"{problem}: git did not finish within {_TIMEOUT:.0f} s.") from None
    except subprocess.CalledProcessError as error:
        lines = [line.removeprefix("fatal: ") for line in error.stderr.splitlines() if line.strip()]
        raise CheckoutError(f"{problem}: {lines[0] if lines else f'git exited with {error.returncode}'}") from None
    return done.stdout
