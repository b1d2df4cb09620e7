"""Deploy the Phalanx commit that a preview has shown, although its branch may have moved since."""

import os
import re
from typing import Final

import pulumi

from config.loader import ConfigError
from config.phalanx import Phalanx
from phalanx import checkout
from phalanx.errors import CheckoutError, PhalanxError
from phalanx.history import History

VARIABLE: Final = "RSP_CHECKOUT_COMMIT"
"""Environment variable with the commit: the stack output ``checkoutCommit`` of the preview."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


class OlderCommitError(PhalanxError):
    """The commit of the preview is older than what has been deployed since."""


def read(settings: Phalanx) -> str:
    """Return the commit to deploy instead of the current one of the branch or tag; empty to deploy the current one.

    Args:
        settings: Repository and revision.

    Raises:
        ConfigError: The variable is not the hash of a commit.
    """
    commit, revision = os.environ.get(VARIABLE, ""), settings.revision
    if not commit:
        return ""
    if not _COMMIT.fullmatch(commit):
        raise ConfigError(
            f"{VARIABLE}: {commit!r:.60} is not the hash of a commit: expected 40 hexadecimal digits, as in the stack "
            "output checkoutCommit; unset the variable to deploy rsp:phalanx.revision"
        )
    if _COMMIT.fullmatch(revision) and commit != revision:
        pulumi.warn(f"{VARIABLE} ({commit}) has no effect: rsp:phalanx.revision is the commit {revision}")
        return ""
    return commit


def check_move(settings: Phalanx, previewed: str, before: str) -> None:
    """Warn if the branch or tag has moved since the preview.

    Args:
        settings: Repository and revision.
        previewed: The commit from `read`; nothing is checked if it is empty.
        before: Commit that the last complete run has deployed; empty if there is none.

    Raises:
        OlderCommitError: That run has deployed a later commit, from a preview that was made after this one.
        CheckoutError: The repository cannot be read, or no longer has the revision.
    """
    if not previewed:
        return
    present = checkout.resolve(settings.repository, settings.revision, credentials=settings.git_credentials).commit
    if present == previewed:
        return
    if before and before != previewed and _includes(settings, before, previewed):
        raise OlderCommitError(
            f"{VARIABLE} ({previewed}) is older than {before}, which is deployed: all applications would go back, "
            "which no preview has shown. Rerun the preview of the pull request, then this job; or unset the variable "
            f"to deploy the current commit of {settings.revision}, {present}"
        )
    pulumi.warn(
        f"rsp:phalanx.revision: {settings.revision} is at {present} now, but the preview was made from {previewed}, "
        f"which is deployed as {VARIABLE} requires; the next preview shows the difference"
    )


def _includes(settings: Phalanx, commit: str, earlier: str) -> bool:
    try:
        return History(settings.repository, settings.git_credentials).includes(commit, earlier)
    except CheckoutError as error:
        # It may be of another repository, or of a branch that was rewritten.
        pulumi.warn(
            f"{VARIABLE}: cannot determine whether {earlier} is older than {commit}, which is deployed: {error}"
        )
        return False
