"""GitLab's REST API: https://docs.gitlab.com/api/rest."""

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from review.forge import Api, ForgeError, Post, PullRequest


class GitLab:
    """The project of a CI job.

    Each access token of a project has a bot user of its own. Jobs may have different tokens, and tokens expire: what
    the bot user of another token of the project wrote counts, too.

    Args:
        variables: Environment variables of the job. ``GITLAB_TOKEN`` is an access token of the project with the scope
            ``api``, or ``read_api`` to read only: the job's own token cannot comment.

    Raises:
        ForgeError: A variable is missing.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        if not variables.get("GITLAB_TOKEN"):
            raise ForgeError("GITLAB_TOKEN is not set: expected an access token of the project with the scope api")
        # Unlike PRIVATE-TOKEN, this header is not sent to another host after a redirect.
        headers = {"Authorization": f"Bearer {variables['GITLAB_TOKEN']}"}
        self._user_api = Api(variables["CI_API_V4_URL"], headers, "GitLab")
        self._api = Api(f"{variables['CI_API_V4_URL']}/projects/{variables['CI_PROJECT_ID']}", headers, "GitLab")
        # https://docs.gitlab.com/user/project/settings/project_access_tokens/#bot-users-for-projects
        self._bot_name = f"project_{variables['CI_PROJECT_ID']}_bot"

    def comments(self, pull_request: int) -> Iterator[Post]:
        """Yield the jobs' comments on a merge request, newest first, which is the API's order."""
        for each in self._api.all(f"/merge_requests/{pull_request}/notes"):
            if self._is_by_job(each) and not each.get("system"):
                # The role Reporter may edit only its own comments, unlike issues.
                yield Post(id=each["id"], text=each["body"], editable=each["author"]["id"] == self._user)

    def comment(self, pull_request: int, text: str) -> None:
        """Add a comment to a merge request."""
        self._api.send("POST", f"/merge_requests/{pull_request}/notes", body=text)

    def edit_comment(self, pull_request: int, comment: int, text: str) -> None:
        """Replace the text of a comment."""
        self._api.send("PUT", f"/merge_requests/{pull_request}/notes/{comment}", body=text)

    def merged_as(self, commit: str) -> PullRequest | None:
        """Return the merged merge request to which a commit belongs."""
        for each in self._api.all(f"/repository/commits/{commit}/merge_requests"):
            if each["state"] == "merged":
                return PullRequest(number=each["iid"], head=each["sha"])
        return None

    def issues(self, label: str) -> Iterator[Post]:
        """Yield the jobs' open issues with a label."""
        for each in self._api.all("/issues", labels=label, state="opened"):
            if self._is_by_job(each):
                yield Post(id=each["iid"], text=each["description"] or "")

    def open_issue(self, title: str, text: str, label: str) -> None:
        """Open an issue."""
        self._api.send("POST", "/issues", title=title, description=text, labels=label)

    def edit_issue(self, issue: int, text: str, *, close: bool = False) -> None:
        """Replace the text of an issue, and close it."""
        state = {"state_event": "close"} if close else {}
        self._api.send("PUT", f"/issues/{issue}", description=text, **state)

    @cached_property
    def _user(self) -> int:
        """ID of the token's user."""
        return int(self._user_api.get("/user")["id"])

    @cached_property
    def _bots(self) -> frozenset[int]:
        """IDs of the bot users of the project's access tokens.

        The name alone proves nothing, as people choose theirs, and groups those of their service accounts. No person is
        a bot, and no service account becomes a member of the project by itself.
        """
        named = (each["id"] for each in self._api.all("/members") if each["username"].startswith(self._bot_name))
        return frozenset(each for each in named if self._user_api.get(f"/users/{each}")["bot"] is True)

    def _is_by_job(self, item: Mapping[str, Any]) -> bool:
        author = item["author"]["id"]
        return author == self._user or author in self._bots


def pull_request(variables: Mapping[str, str]) -> PullRequest | None:
    """Return the merge request of a CI job, or None if its pipeline is not one of a merge request."""
    number = variables.get("CI_MERGE_REQUEST_IID")
    # In a pipeline for merged results, CI_COMMIT_SHA is a commit that exists only for it.
    head = variables.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA") or variables.get("CI_COMMIT_SHA", "")
    return PullRequest(number=int(number), head=head) if number else None
