"""History of a Phalanx repository: which commit last changed some files, and the subjects of the commits between two.

A checkout is one commit without history. The history is fetched once per repository, into a bare repository in the
user's cache, and extended with each later commit. For lsst-sqre/phalanx, it takes 28 MB. A partial clone
(``--filter=blob:none``) has 15 MB, but from a shallow repository, such as that of a CI job, Git would fetch the missing
commits again and again, in ever more processes.
"""

import os
import tarfile
import tempfile
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from phalanx import cache, git
from phalanx.checkout import cache_directory
from phalanx.errors import CheckoutError
from phalanx.git_credentials import Credentials

_TIMEOUT: Final = 60.0
"""Timeout of a query in seconds; in 20 000 commits one takes less than a second."""


@dataclass(frozen=True, kw_only=True)
class Merge:
    """What a merge of two commits would give."""

    tree: str
    """Hash of the merged tree; files with conflicts contain conflict markers."""
    commits: int
    """Number of commits that it would bring."""
    changed: tuple[str, ...]
    """Paths of the files that it would change."""
    conflicts: tuple[str, ...]
    """Paths of the files with conflicts."""


class History:
    """The history of a repository, of which commits are fetched as they are asked for.

    Several processes may use it at the same time.

    Args:
        repository: URL or path of the repository, as of a `phalanx.checkout.Checkout`.
        credentials: Credentials of a private repository.
    """

    def __init__(self, repository: str, credentials: Credentials | None = None) -> None:
        self._repository, self._credentials = repository, credentials
        self._path = cache_directory(repository) / "history.git"

    def last_changes(self, commit: str, paths: Mapping[str, Sequence[str]]) -> dict[str, str]:
        """Return the last commit up to a commit that changed files, for each of several sets of files.

        These files are the same in both commits: where the history branches, Git follows the branch that has them
        (History Simplification in git-log(1)), so that merging another branch changes nothing.

        Args:
            commit: Hash of a commit.
            paths: Sets of pathspecs, by any name. Each must match a file of the commit.

        Raises:
            CheckoutError: The history cannot be fetched.
        """
        self._fetch(commit)

        def last_change(pathspecs: Sequence[str]) -> str:
            # The commit itself, should a path never have existed.
            return self._log("--max-count=1", "--format=%H", commit, "--", *pathspecs).strip() or commit

        with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
            return dict(zip(paths, pool.map(last_change, paths.values()), strict=True))

    def subjects(self, old: str, new: str, paths: Sequence[str]) -> list[str]:
        """Return short hash and subject of each commit between two that changed files, newest first.

        Args:
            old: Hash of the commit to begin after.
            new: Hash of the commit to end with.
            paths: Pathspecs of the files.

        Raises:
            CheckoutError: The history of a commit cannot be fetched.
        """
        for commit in (old, new):
            self._fetch(commit)
        return self._log("--format=%h %s", f"{old}..{new}", "--", *paths).splitlines()

    def includes(self, commit: str, earlier: str) -> bool:
        """Return whether a commit is another one, or follows it.

        Args:
            commit: Hash of a commit.
            earlier: Hash of the other one.

        Raises:
            CheckoutError: The history of a commit cannot be fetched.
        """
        for each in (commit, earlier):
            self._fetch(each)
        return not self._query("rev-list", "--max-count=1", earlier, f"^{commit}")

    def merge(self, ours: str, theirs: str, other: str) -> Merge:
        """Merge a commit of another repository, without a working tree and without a commit.

        Args:
            ours: Hash of a commit of this repository.
            theirs: Hash of a commit of the other repository.
            other: URL or path of the other repository.

        Raises:
            CheckoutError: A commit cannot be fetched, or the repositories have no commit in common.
        """
        self._fetch(ours)
        self._fetch(theirs, other)
        tree, *conflicts = self._query(
            *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs),
            problem=f"{other} cannot be merged into {self._repository}",
            allowed=(1,),  # conflicts
        ).split("\0")[:-1]
        count = self._query("rev-list", "--count", f"{ours}..{theirs}").strip()
        changed = self._query("diff-tree", "-r", "--name-only", "--no-renames", "-z", ours, tree).split("\0")[:-1]
        return Merge(tree=tree, commits=int(count), changed=tuple(changed), conflicts=tuple(conflicts))

    def extract(self, tree: str, directory: Path) -> None:
        """Write the files of a tree, such as that of a `Merge`, to a directory.

        Raises:
            CheckoutError: The tree cannot be read.
        """
        with tempfile.NamedTemporaryFile(suffix=".tar") as archive:
            self._query("archive", "--format=tar", f"--output={archive.name}", tree)
            with tarfile.open(archive.name) as files:
                # Python before 3.11.4 has no filters; Git itself refuses paths that lead out of a tree.
                files.extraction_filter = getattr(tarfile, "data_filter", None)
                files.extractall(directory)  # noqa: S202

    def _query(self, *arguments: str, problem: str = "", allowed: Collection[int] = ()) -> str:
        problem = problem or f"the history of {self._repository} cannot be read"
        return git.run("-C", str(self._path), *arguments, problem=problem, timeout=_TIMEOUT, allowed=allowed)

    def _fetch(self, commit: str, other: str = "") -> None:
        """Fetch a commit with its history, from another repository if one is given, unless it is there."""
        repository = other or self._repository
        problem = f"the history of commit {commit} of {repository} cannot be fetched"
        self._create()
        reference = f"refs/commits/{commit}"
        if self._has(reference):
            return
        try:
            git.run(
                *("-C", str(self._path), "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--update-shallow"),
                *("--", repository, f"{commit}:{reference}"),
                problem=problem,
                repository=repository,
                # The other repository is public.
                credentials=None if other else self._credentials,
            )
        except CheckoutError:
            # Another process may have fetched it in the meantime, and only one can write the reference.
            if not self._has(reference):
                raise

    def _has(self, reference: str) -> bool:
        # Not "rev-parse", which fails for a missing reference as for anything else.
        found = git.run(
            *("-C", str(self._path), "for-each-ref", "--format=%(refname)", reference),
            problem=cache.UNWRITABLE,
            timeout=_TIMEOUT,
        )
        return reference in found.splitlines()

    def _create(self) -> None:
        if self._path.is_dir():
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".history-", dir=self._path.parent) as directory:
                made = Path(directory) / "made"
                git.run("init", "--quiet", "--bare", str(made), problem=cache.UNWRITABLE)
                # A process in the background would outlive the program.
                git.run("-C", str(made), "config", "gc.autoDetach", "false", problem=cache.UNWRITABLE)
                cache.place(made, self._path)
        except OSError as error:
            raise CheckoutError(f"{cache.UNWRITABLE}: {error.strerror}") from None

    def _log(self, *arguments: str) -> str:
        # The user's settings must not change the result.
        settings = ("-c", "log.follow=false", "-c", "log.showSignature=false")
        return git.run(
            *("-C", str(self._path), *settings, "log", *arguments),
            problem=f"the history of {self._repository} cannot be read",
            timeout=_TIMEOUT,
        )
