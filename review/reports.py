"""One comment per stack on a pull request, which records the previewed commit, and one issue per stack for drift."""

import re
from typing import Final

from phalanx.errors import PhalanxError
from review.forge import Forge, PullRequest
from review.markdown import GITHUB_LIMIT

DRIFT: Final = "drift"
"""Label of the issues."""

LIMIT: Final = GITHUB_LIMIT - 500
"""Greatest size of a report in characters, which leaves room for the first line."""

_HASH: Final = re.compile(r"[0-9a-f]{40}")


class NotPreviewedError(PhalanxError):
    """A merged pull request has no successful preview of its last commit."""


def comment(forge: Forge, pull_request: PullRequest, stack: str, commit: str, text: str) -> None:
    """Comment on a pull request with the preview of a stack, in place of the comment of a previous one.

    Args:
        forge: The service.
        pull_request: The pull request.
        stack: Name of the stack.
        commit: Commit of the Phalanx repository that the preview was made from; empty if it is not known.
        text: Report of the preview.
    """
    marker = _marker(stack)
    body = f"{marker}commit={commit} head={pull_request.head} -->\n{text}"
    for each in forge.comments(pull_request.number):
        if each.editable and each.text.startswith(marker):
            forge.edit_comment(pull_request.number, each.id, body)
            return
    forge.comment(pull_request.number, body)


def previewed_commit(forge: Forge, deployed: str, stack: str) -> str:
    """Return the commit of the Phalanx repository that the preview of a merged pull request was made from.

    Args:
        forge: The service.
        deployed: Commit of this repository that is deployed.
        stack: Name of the stack.

    Returns:
        The commit, or an empty string if the deployed commit belongs to no pull request.

    Raises:
        NotPreviewedError: There was no successful preview of the last commit of the pull request.
    """
    merged = forge.merged_as(deployed)
    if not merged:
        return ""
    marker = _marker(stack)
    expected = re.compile(rf"{re.escape(marker)}commit=({_HASH.pattern}) head={re.escape(merged.head)} -->")
    for each in forge.comments(merged.number):
        if found := expected.match(each.text):
            return found[1]
    raise NotPreviewedError(
        f"the pull request {merged.number} has no successful preview of {stack} for its last commit {merged.head}, so "
        "that nobody has seen what it changes: rerun its preview, then this job; or merge another pull request, whose "
        "preview shows both"
    )


def drift(forge: Forge, stack: str, text: str, *, found: bool) -> None:
    """Open or update the issue for the drift of a stack, or close it.

    Args:
        forge: The service.
        stack: Name of the stack.
        text: Report of the preview after a refresh.
        found: Whether something differs.
    """
    marker = f"{_marker(stack)}-->"
    issue = next((each.id for each in forge.issues(DRIFT) if each.text.startswith(marker)), None)
    body = f"{marker}\n{text}"
    if issue is not None:
        forge.edit_issue(issue, body, close=not found)
    elif found:
        forge.open_issue(f"Drift of {stack}", body, DRIFT)


def _marker(stack: str) -> str:
    """Return the beginning of an invisible first line, by which a text is found again."""
    return f"<!-- rsp stack={stack} "
