"""The sandbox's Phalanx repository: a bare Git repository on disk, read by Argo CD and by the program."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sandbox import paths, tools
from sandbox.errors import SandboxError

SOURCE: Final = paths.CHECKOUT / "sandbox" / "phalanx"
"""The directory that `publish` commits."""

BRANCH: Final = "main"

URL: Final = f"file://{paths.GIT}"
"""The repository's URL for clients."""

_LEFT_BY_HELM: Final = shutil.ignore_patterns("*.tgz", "Chart.lock")
"""Files that `helm dependency build` creates in a working tree."""

_IDENTITY: Final = {
    **{f"GIT_{role}_NAME": "Sandbox" for role in ("AUTHOR", "COMMITTER")},
    **{f"GIT_{role}_EMAIL": "sandbox@rsp.sandbox.test" for role in ("AUTHOR", "COMMITTER")},
    # Makes commits reproducible: the same content and history have the same commit on every machine.
    **{f"GIT_{role}_DATE": "2026-01-01T00:00:00Z" for role in ("AUTHOR", "COMMITTER")},
}


def publish() -> str:
    """Commit the current content of `sandbox/phalanx` to the branch, if it differs.

    Argo CD's CRDs are added to its chart. They come with the release that the sandbox runs and are too large to keep a
    copy of.

    Returns:
        The commit at the head of the branch.

    Raises:
        SandboxError: Git fails or is not installed.
    """
    return commit(SOURCE, "Publish the sandbox's Phalanx", _add_argocd_crds)


def commit(source: Path, message: str, complete: Callable[[Path], None] = lambda _: None) -> str:
    """Commit a directory to the branch, as a user's push would, if its content differs from the branch's.

    Args:
        source: Directory with the complete content of the branch.
        message: Commit message.
        complete: Function that adds further files to a copy of `source`.

    Returns:
        The commit at the head of the branch.

    Raises:
        SandboxError: Git fails or is not installed.
    """
    if not (paths.GIT / "HEAD").exists():
        paths.GIT.mkdir(parents=True, exist_ok=True)
        _git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(paths.GIT))
    with tempfile.TemporaryDirectory(prefix="phalanx-") as directory:
        tree = Path(directory) / "tree"
        shutil.copytree(source, tree, ignore=_LEFT_BY_HELM)
        complete(tree)
        index = {"GIT_INDEX_FILE": str(Path(directory) / "index")}
        _git(f"--git-dir={paths.GIT}", f"--work-tree={tree}", "add", "--all", "--force", ".", env=index)
        content = _git(f"--git-dir={paths.GIT}", "write-tree", env=index)
    head = _head()
    if head and _git(f"--git-dir={paths.GIT}", "rev-parse", f"{head}^{{tree}}") == content:
        return head
    parent = ["-p", head] if head else []
    made = _git(f"--git-dir={paths.GIT}", "commit-tree", content, *parent, "-m", message, env=_IDENTITY)
    _git(f"--git-dir={paths.GIT}", "update-ref", f"refs/heads/{BRANCH}", made, head or "")
    return made


def checkout(target: Path) -> None:
    """Write the files at the head of the branch to the new directory `target`."""
    target.mkdir(parents=True)
    index = {"GIT_INDEX_FILE": str(target.parent / f".{target.name}.index")}
    _git(f"--git-dir={paths.GIT}", f"--work-tree={target}", "read-tree", BRANCH, env=index)
    _git(f"--git-dir={paths.GIT}", f"--work-tree={target}", "checkout-index", "--all", env=index)
    Path(index["GIT_INDEX_FILE"]).unlink()


def _add_argocd_crds(tree: Path) -> None:
    tools.ensure(["argocd"], report=lambda _: None)
    crds = tree / "applications" / "argocd" / "charts" / "argo-cd" / "crds"
    crds.mkdir()
    # As in Argo CD's own chart: deleting the application argocd must not delete the CRD and with it all Applications.
    kept = "\nmetadata:\n  annotations:\n    helm.sh/resource-policy: keep\n"
    (crds / "argocd.yaml").write_text(tools.argocd_crds().read_text().replace("\nmetadata:\n", kept))


def _head() -> str:
    """Return the branch's commit; empty if the repository is new."""
    return _git(f"--git-dir={paths.GIT}", "for-each-ref", "--format=%(objectname)", f"refs/heads/{BRANCH}")


def _git(*arguments: str, env: dict[str, str] | None = None) -> str:
    """Run git without the user's configuration and return its standard output."""
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull, "HOME": "/nonexistent"}
    try:
        run = subprocess.run(
            ["git", *arguments],
            env={"PATH": os.environ.get("PATH", os.defpath), **own, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
    except FileNotFoundError as error:
        raise SandboxError("git is not installed: `python -m sandbox cloud up` installs it, as root") from error
    if run.returncode:
        raise SandboxError(f"git {' '.join(arguments)} failed: {run.stderr.strip()}")
    return run.stdout.strip()
