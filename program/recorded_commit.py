"""Deploy the Phalanx commit that a preview has shown, although its branch may have moved since."""

import os
import re
from typing import Final

import pulumi

from config.loader import ConfigError
from config.phalanx import Phalanx
from phalanx import checkout

VARIABLE: Final = "RSP_CHECKOUT_COMMIT"
"""Environment variable with the commit: the stack output ``checkoutCommit`` of the preview."""

_COMMIT: Final = re.compile(r"[0-9a-f]{40}")


def read(settings: Phalanx) -> str:
    """Return the commit to deploy in place of the present one of a branch or tag; empty if there is none.

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


def report_move(settings: Phalanx, deployed: str) -> None:
    """Warn if a branch or tag has moved since the commit that is deployed in its place.

    Args:
        settings: Repository and revision.
        deployed: The commit from `read`; nothing is reported if it is empty.

    Raises:
        CheckoutError: The repository cannot be read, or does not have the revision any longer.
    """
    if not deployed:
        return
    present = checkout.resolve(settings.repository, settings.revision, credentials=settings.git_credentials).commit
    if present != deployed:
        pulumi.warn(
            f"rsp:phalanx.revision: {settings.revision} is at {present} now, but the preview was made from {deployed}, "
            f"which is deployed as {VARIABLE} requires; the next preview shows the difference"
        )
