"""GitHub's REST API: https://docs.github.com/en/rest."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from review.forge import Api, ForgeError, Post, PullRequest

_AUTHOR: Final = "github-actions[bot]"
"""Author of what a workflow creates with its own token."""


class GitHub:
    """The repository of a workflow run.

    Args:
        variables: Environment variables of the run. ``GITHUB_TOKEN`` must be the workflow's own token.

    Raises:
        ForgeError: A variable is missing.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        if not variables.get("GITHUB_TOKEN"):
            raise ForgeError("GITHUB_TOKEN is not set: pass ${{ github.token }} in the step's env")
        url = variables.get("GITHUB_API_URL", "https://api.github.com")
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {variables['GITHUB_TOKEN']}",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        self._api = Api(f"{url}/repos/{variables['GITHUB_REPOSITORY']}", headers, "GitHub")

    def comments(self, pull_request: int) -> Iterator[Post]:
        """Yield the workflow's comments on a pull request."""
        for each in self._api.all(f"/issues/{pull_request}/comments"):
            if _own(each):
                yield Post(id=each["id"], text=each["body"] or "")

    def comment(self, pull_request: int, text: str) -> None:
        """Add a comment to a pull request."""
        self._api.send("POST", f"/issues/{pull_request}/comments", body=text)

    def edit_comment(self, pull_request: int, comment: int, text: str) -> None:
        """Replace the text of a comment."""
        del pull_request  # the ID is unique in the repository
        self._api.send("PATCH", f"/issues/comments/{comment}", body=text)

    def merged_as(self, commit: str) -> PullRequest | None:
        """Return the merged pull request to which a commit belongs."""
        for each in self._api.all(f"/commits/{commit}/pulls"):
            if each["merged_at"]:
                return PullRequest(number=each["number"], head=each["head"]["sha"])
        return None

    def issues(self, label: str) -> Iterator[Post]:
        """Yield the workflow's open issues with a label."""
        for each in self._api.all("/issues", labels=label, state="open"):
            if _own(each) and "pull_request" not in each:
                yield Post(id=each["number"], text=each["body"] or "")

    def open_issue(self, title: str, text: str, label: str) -> None:
        """Open an issue."""
        self._api.send("POST", "/issues", title=title, body=text, labels=[label])

    def edit_issue(self, issue: int, text: str, *, close: bool = False) -> None:
        """Replace the text of an issue, and close it."""
        state = {"state": "closed", "state_reason": "completed"} if close else {}
        self._api.send("PATCH", f"/issues/{issue}", body=text, **state)


def pull_request(variables: Mapping[str, str]) -> PullRequest | None:
    """Return the pull request of a workflow run, or None if another event has triggered it."""
    try:
        event = json.loads(Path(variables["GITHUB_EVENT_PATH"]).read_text())
        found = event["pull_request"]
        return PullRequest(number=found["number"], head=found["head"]["sha"])
    except (KeyError, OSError, ValueError):
        return None


def _own(item: Mapping[str, Any]) -> bool:
    return (item.get("user") or {}).get("login") == _AUTHOR
