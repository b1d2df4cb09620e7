"""Comments and issues against servers that answer as the APIs of GitHub and GitLab."""

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from review import github, gitlab, reports
from review.forge import Forge, ForgeError, PullRequest
from review.reports import NotPreviewedError
from tests.unit.json_server import Request, json_server

COMMIT, HEAD, MERGED = "a" * 40, "b" * 40, "c" * 40
MARKER = f"<!-- rsp stack=roe commit={COMMIT} head={HEAD} -->"
PULL_REQUEST = PullRequest(number=7, head=HEAD)

Server = Callable[..., Forge]
"""Starts a server with answers, and returns a client for it."""


class Service:
    """GitHub or GitLab: its paths, and its representation of comments and issues."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.on_github = name == "github"
        root = "/repos/lsst-uk/rsp" if self.on_github else "/projects/5"
        self.comments = f"{root}/issues/7/comments" if self.on_github else f"{root}/merge_requests/7/notes"
        self.comment = f"{root}/issues/comments/12" if self.on_github else f"{self.comments}/12"
        self.edit = "PATCH" if self.on_github else "PUT"
        pulls = "pulls" if self.on_github else "merge_requests"
        self.merged = f"{root}/{'commits' if self.on_github else 'repository/commits'}/{MERGED}/{pulls}"
        self.issues = f"{root}/issues"
        self.text = "body" if self.on_github else "description"
        self.open_state = "open" if self.on_github else "opened"

    def post(self, number: int, text: str, *, own: bool = True) -> dict[str, Any]:
        """Return a comment or an issue."""
        if self.on_github:
            return {
                "id": number,
                "number": number,
                "body": text,
                "user": {"login": "github-actions[bot]" if own else "mallory"},
            }
        author = {"id": 1 if own else 2, "username": "project_5_bot_0a" if own else "mallory"}
        return {"id": number, "iid": number, "body": text, "description": text, "author": author}

    def merge(self, head: str = HEAD, *, merged: bool = True) -> dict[str, Any]:
        """Return a pull request."""
        if self.on_github:
            return {"number": 7, "head": {"sha": head}, "merged_at": "2026-01-01T00:00:00Z" if merged else None}
        return {"iid": 7, "sha": head, "state": "merged" if merged else "opened"}

    def client(self, url: str) -> Forge:
        """Return a client for a server."""
        if self.on_github:
            variables = {"GITHUB_API_URL": url, "GITHUB_REPOSITORY": "lsst-uk/rsp", "GITHUB_TOKEN": "planted"}
            return github.GitHub(variables)
        return gitlab.GitLab({"CI_API_V4_URL": url, "CI_PROJECT_ID": "5", "GITLAB_TOKEN": "planted"})


@pytest.fixture(params=["github", "gitlab"])
def service(request: pytest.FixtureRequest) -> Service:
    return Service(request.param)


@pytest.fixture
def received() -> list[Request]:
    return []


@pytest.fixture
def serve(service: Service, received: list[Request]) -> Iterator[Server]:
    servers = []

    def start(answers: Mapping[str, tuple[int, Any]], following: Mapping[str, str] | None = None) -> Forge:
        fixed = {"GET /user": (200, {"id": 1}), listed("/projects/5/members"): (200, [])}
        server = json_server({**fixed, **answers}, received, following)
        servers.append(server)
        return service.client(server.__enter__())

    yield start
    for server in servers:
        server.__exit__(None, None, None)


def changes(received: list[Request]) -> list[tuple[str, Any]]:
    """Return the requests that change something."""
    return [(each.line, each.body) for each in received if not each.line.startswith("GET")]


def listed(path: str) -> str:
    return f"GET {path}?per_page=100"


def test_the_first_preview_adds_a_comment(service: Service, serve: Server, received: list[Request]) -> None:
    others = [service.post(1, "<!-- rsp stack=other commit= head= -->"), service.post(2, "LGTM", own=False)]
    forge = serve({listed(service.comments): (200, others), f"POST {service.comments}": (201, {})})
    reports.comment(forge, PULL_REQUEST, "roe", COMMIT, "report")
    assert changes(received) == [(f"POST {service.comments}", {"body": f"{MARKER}\nreport"})]
    assert received[0].headers["Authorization"] == "Bearer planted"


def test_later_previews_replace_it_although_there_are_many_comments(
    service: Service, serve: Server, received: list[Request]
) -> None:
    second = f"{service.comments}?per_page=100&page=2"
    forge = serve(
        {
            listed(service.comments): (200, [service.post(number, "text") for number in range(100, 200)]),
            f"GET {second}": (200, [service.post(12, "<!-- rsp stack=roe commit= head=old -->\nold")]),
            f"{service.edit} {service.comment}": (200, {}),
        },
        {listed(service.comments): second},
    )
    reports.comment(forge, PULL_REQUEST, "roe", COMMIT, "report")
    assert changes(received) == [(f"{service.edit} {service.comment}", {"body": f"{MARKER}\nreport"})]


def test_the_commit_of_a_merged_pull_request_is_found(service: Service, serve: Server) -> None:
    forge = serve(
        {
            listed(service.merged): (200, [service.merge(merged=False), service.merge()]),
            listed(service.comments): (200, [service.post(12, f"{MARKER}\nreport")]),
        }
    )
    assert reports.previewed_commit(forge, MERGED, "roe") == COMMIT


@pytest.mark.parametrize(
    ("text", "own", "head"),
    [
        (f"{MARKER}\nreport", False, HEAD),
        (f"{MARKER}\nreport", True, "d" * 40),
        (f"report\n{MARKER}", True, HEAD),
        (MARKER.replace("roe", "roe2"), True, HEAD),
        (MARKER.replace(COMMIT, ""), True, HEAD),
        (MARKER.replace(COMMIT, "$(reboot)"), True, HEAD),
    ],
    ids=["by someone else", "of an earlier commit", "quoted", "another stack", "failed preview", "no hash"],
)
def test_no_other_comment_determines_the_commit(
    service: Service, serve: Server, text: str, own: bool, head: str
) -> None:
    forge = serve(
        {
            listed(service.merged): (200, [service.merge(head)]),
            listed(service.comments): (200, [service.post(12, text, own=own)]),
        }
    )
    with pytest.raises(NotPreviewedError, match=f"the pull request 7 has no successful preview of roe .* {head}"):
        reports.previewed_commit(forge, MERGED, "roe")


GITLAB = Service("gitlab")
on_gitlab = pytest.mark.parametrize("service", ["gitlab"], indirect=True)
EARLIER = {"id": 8, "username": "project_5_bot_4ffca233d8298ea1"}
"""Bot user of another access token of the project 5."""


def by(author: dict[str, Any], number: int, text: str) -> dict[str, Any]:
    """Return a comment or an issue on GitLab."""
    return {**GITLAB.post(number, text), "author": author}


def members(*users: dict[str, Any], bot: bool = True) -> dict[str, tuple[int, Any]]:
    """Return GitLab's answers for the members of the project, and for their accounts."""
    return {
        listed("/projects/5/members"): (200, list(users)),
        **{f"GET /users/{each['id']}": (200, {**each, "bot": bot}) for each in users},
    }


def merged_with(*found: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    """Return GitLab's answers for the comments on a merged merge request."""
    return {listed(GITLAB.merged): (200, [GITLAB.merge()]), listed(GITLAB.comments): (200, list(found))}


@on_gitlab
def test_jobs_of_gitlab_with_different_tokens_find_the_same_commit(serve: Server) -> None:
    found = [by(EARLIER, 13, f"{MARKER}\nreport"), GITLAB.post(12, MARKER.replace(COMMIT, "d" * 40))]
    forge = serve({**merged_with(*found), **members(EARLIER)})
    assert reports.previewed_commit(forge, MERGED, "roe") == COMMIT


@on_gitlab
@pytest.mark.parametrize(
    ("name", "member", "bot"),
    [
        (EARLIER["username"], False, True),
        (EARLIER["username"], True, False),
        ("project_55_bot_0a", True, True),
        ("group_5_bot_0a", True, True),
        ("my_project_5_bot", True, True),
        ("ghost", False, False),
    ],
    ids=["no member", "a person", "of another project", "of a group", "another name", "deleted"],
)
def test_no_user_can_pass_for_the_bot_of_a_token(serve: Server, name: str, member: bool, bot: bool) -> None:
    author = {"id": 9, "username": name}
    answers = members(*[author] if member else [], bot=bot)
    forge = serve({**merged_with(by(author, 12, f"{MARKER}\nreport")), **answers})
    with pytest.raises(NotPreviewedError):
        reports.previewed_commit(forge, MERGED, "roe")


@on_gitlab
def test_the_comment_of_another_token_is_not_edited(serve: Server, received: list[Request]) -> None:
    """GitLab allows this to maintainers only."""
    found = by(EARLIER, 12, "<!-- rsp stack=roe commit= head=old -->\nold")
    added = f"POST {GITLAB.comments}"
    reports.comment(
        serve({**merged_with(found), **members(EARLIER), added: (201, {})}), PULL_REQUEST, "roe", COMMIT, "report"
    )
    assert changes(received) == [(added, {"body": f"{MARKER}\nreport"})]


@on_gitlab
def test_the_issue_of_another_token_is_closed(serve: Server, received: list[Request]) -> None:
    present = by(EARLIER, 12, "<!-- rsp stack=roe -->\nold")
    reports.drift(serve({**issues(GITLAB, present), **members(EARLIER)}), "roe", "report", found=False)
    ((line, body),) = changes(received)
    assert (line, body["state_event"]) == (f"PUT {GITLAB.issues}/12", "close")


def test_a_push_without_a_pull_request_has_no_commit(service: Service, serve: Server) -> None:
    assert reports.previewed_commit(serve({listed(service.merged): (200, [])}), MERGED, "roe") == ""


def issues(service: Service, *found: dict[str, Any]) -> dict[str, tuple[int, Any]]:
    """Return the answers for a list of open issues."""
    path = f"{service.issues}?per_page=100&labels=drift&state={service.open_state}"
    return {
        f"GET {path}": (200, list(found)),
        f"POST {service.issues}": (201, {}),
        f"{service.edit} {service.issues}/12": (200, {}),
    }


def test_drift_opens_an_issue(service: Service, serve: Server, received: list[Request]) -> None:
    others = [service.post(3, "<!-- rsp stack=other -->\n"), service.post(4, "<!-- rsp stack=roe -->", own=False)]
    reports.drift(serve(issues(service, *others)), "roe", "report", found=True)
    label = ["drift"] if service.on_github else "drift"
    body = {"title": "Drift of roe", service.text: "<!-- rsp stack=roe -->\nreport", "labels": label}
    assert changes(received) == [(f"POST {service.issues}", body)]


@pytest.mark.parametrize("found", [True, False])
def test_an_open_issue_is_updated_or_closed(
    service: Service, serve: Server, received: list[Request], found: bool
) -> None:
    present = service.post(12, "<!-- rsp stack=roe -->\nold")
    reports.drift(serve(issues(service, present)), "roe", "report", found=found)
    ((line, body),) = changes(received)
    assert line == f"{service.edit} {service.issues}/12"
    assert body.pop(service.text) == "<!-- rsp stack=roe -->\nreport"
    closed = {"state": "closed", "state_reason": "completed"} if service.on_github else {"state_event": "close"}
    assert body == ({} if found else closed)


def test_without_drift_and_issue_nothing_changes(service: Service, serve: Server, received: list[Request]) -> None:
    reports.drift(serve(issues(service)), "roe", "report", found=False)
    assert changes(received) == []


def test_a_refusal_names_the_request_but_not_the_token(service: Service, serve: Server) -> None:
    forge = serve({listed(service.comments): (403, {"message": "Resource not accessible by integration"})})
    with pytest.raises(ForgeError, match="403 Resource not accessible by integration") as caught:
        reports.comment(forge, PULL_REQUEST, "roe", COMMIT, "report")
    assert "planted" not in str(caught.value)


def test_a_service_that_does_not_answer_is_reported(service: Service) -> None:
    with pytest.raises(ForgeError, match="ConnectionError"):
        reports.comment(service.client("http://127.0.0.1:1"), PULL_REQUEST, "roe", COMMIT, "report")


def test_a_netrc_does_not_replace_the_token(
    serve: Server, service: Service, received: list[Request], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    monkeypatch.setenv("NETRC", str(netrc))
    reports.previewed_commit(serve({listed(service.merged): (200, [])}), MERGED, "roe")
    assert received[0].headers["Authorization"] == "Bearer planted"


def test_missing_tokens_are_reported() -> None:
    with pytest.raises(ForgeError, match="GITHUB_TOKEN"):
        github.GitHub({"GITHUB_REPOSITORY": "lsst-uk/rsp"})
    with pytest.raises(ForgeError, match="GITLAB_TOKEN"):
        gitlab.GitLab({"CI_API_V4_URL": "http://127.0.0.1:1", "CI_PROJECT_ID": "5"})


def test_the_pull_request_of_a_workflow_is_that_of_its_event(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    assert github.pull_request({"GITHUB_EVENT_PATH": str(event)}) == PULL_REQUEST
    event.write_text(json.dumps({"ref": "refs/heads/main"}))
    assert github.pull_request({"GITHUB_EVENT_PATH": str(event)}) is None
    assert github.pull_request({}) is None


def test_the_merge_request_of_a_job_is_that_of_its_pipeline() -> None:
    variables = {"CI_MERGE_REQUEST_IID": "7", "CI_COMMIT_SHA": HEAD}
    assert gitlab.pull_request(variables) == PULL_REQUEST
    merged_results = {**variables, "CI_COMMIT_SHA": MERGED, "CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD}
    assert gitlab.pull_request(merged_results) == PULL_REQUEST
    assert gitlab.pull_request({"CI_COMMIT_SHA": HEAD}) is None
