"""Local copy of a Phalanx repository at one commit."""

import hashlib
import os
import shutil
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from phalanx import cache, git
from phalanx.errors import CheckoutError, Problems
from phalanx.git_addresses import check_repository, check_revision, is_commit
from phalanx.git_credentials import Credentials

REPOSITORY = "rsp:phalanx.repository"
REVISION = "rsp:phalanx.revision"

_ANSWER_TIMEOUT = 60.0
"""Timeout of a question to the repository in seconds."""


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

    credentials: Credentials | None = None
    """Credentials of the repository, if it is private."""


def resolve(repository: str, revision: str, key: str = REVISION, *, credentials: Credentials | None = None) -> Checkout:
    """Resolve a revision to a commit, and fetch its files into the user's cache.

    A full commit hash that is in the cache needs no network.

    Args:
        repository: URL (https, ssh, file) or path. Credentials never come from the URL, which is visible in process
            lists and in the Applications.
        revision: Branch, tag, or full commit hash.
        key: Setting that names the revision, for error messages.
        credentials: Credentials of a private repository; None for those of Git's configuration, if there are any.

    Raises:
        CheckoutError: The repository cannot be read, has no such revision, or the URL contains credentials.
    """
    problems = Problems()
    for setting, check, value in ((REPOSITORY, check_repository, repository), (key, check_revision, revision)):
        try:
            check(value)
        except ValueError as error:
            problems.found.append(f"{setting}: {error}")
    problems.report(CheckoutError)
    commit = revision if is_commit(revision) else _commit_of(repository, revision, key, credentials)
    path = cache_directory(repository) / commit
    if path.is_dir():
        with suppress(OSError):
            os.utime(path)
    else:
        _clone(repository, commit, path, key, credentials)
    return Checkout(repository=repository, revision=revision, commit=commit, path=path, credentials=credentials)


def cache_directory(repository: str) -> Path:
    """Return the directory in the user's cache for what is fetched from a repository; it may not exist yet."""
    return cache.directory() / "phalanx" / hashlib.sha256(repository.encode()).hexdigest()[:16]


def link(checkout: Checkout, at: Path) -> Path:
    """Create a symbolic link to a checkout, as a path that is the same for every commit and machine.

    Args:
        checkout: Target of the link.
        at: Path of the link; an existing link is replaced atomically.

    Returns:
        The path of the link.

    Raises:
        CheckoutError: The path exists and is not a link, or cannot be written.
    """
    if at.exists() and not at.is_symlink():
        raise CheckoutError(f"{at} exists, but is not a link to the Phalanx checkout: move it away")
    try:
        at.parent.mkdir(parents=True, exist_ok=True)
        # A link cannot be overwritten, but another one can be renamed over it.
        with tempfile.TemporaryDirectory(prefix=".link-", dir=at.parent) as directory:
            fresh = Path(directory) / at.name
            fresh.symlink_to(checkout.path.resolve())
            fresh.replace(at)
    except OSError as error:
        raise CheckoutError(f"{at}: the link to the Phalanx checkout cannot be written: {error.strerror}") from None
    return at


def _commit_of(repository: str, revision: str, key: str, credentials: Credentials | None) -> str:
    """Query the remote for the commit of a branch or tag; a branch takes precedence over a tag, as in Argo CD."""
    # An annotated tag is an object of its own; "^{}" dereferences it to its commit.
    candidates = [f"refs/heads/{revision}", f"refs/tags/{revision}^{{}}", f"refs/tags/{revision}"]
    answer = git.run(
        *("ls-remote", "--", repository, *candidates),
        problem=f"{REPOSITORY}: {repository} cannot be read",
        timeout=_ANSWER_TIMEOUT,
        repository=repository,
        credentials=credentials,
    )
    found = {name: commit for commit, _, name in (line.partition("\t") for line in answer.splitlines())}
    for name in candidates:
        if name in found:
            return found[name]
    raise CheckoutError(
        f"{key}: {repository} has no branch or tag {revision!r}; a commit must be given with all 40 digits"
    )


def _clone(repository: str, commit: str, path: Path, key: str, credentials: Credentials | None) -> None:
    """Fetch the files of a commit to a path, atomically, and delete those that are no longer used."""
    try:
        # For its user only: the files of a private repository are none of others' business.
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".clone-", dir=path.parent) as directory:
            tree = Path(directory) / "tree"
            git.run("init", "--quiet", str(tree), problem=cache.UNWRITABLE)
            git.run(
                *("-C", str(tree), "fetch", "--quiet", "--depth=1", "--no-tags", "--", repository, commit),
                problem=f"{key}: commit {commit} of {repository} cannot be fetched",
                repository=repository,
                credentials=credentials,
            )
            git.run(
                *("-C", str(tree), "checkout", "--quiet", "--detach", "FETCH_HEAD"),
                problem=f"{key}: commit {commit} of {repository} cannot be checked out",
            )
            shutil.rmtree(tree / ".git")
            _check_links(tree, repository)
            cache.place(tree, path)
        for each in cache.unused(path.parent):
            if is_commit(each.name):
                shutil.rmtree(each, ignore_errors=True)
    except OSError as error:
        raise CheckoutError(f"{cache.UNWRITABLE}: {error.strerror}") from None


def _check_links(tree: Path, repository: str) -> None:
    """Refuse links that Helm or this program would follow to files of this machine, or round in circles."""
    bad = [
        f"{path.relative_to(tree)}: is a link to {path.readlink()}, expected a link to a file of the repository"
        for path in sorted(tree.rglob("*"))
        if path.is_symlink() and not (path.is_file() and path.resolve().is_relative_to(tree.resolve()))
    ]
    if bad:
        raise CheckoutError(*(f"{REPOSITORY}: {repository}: {each}" for each in bad))
