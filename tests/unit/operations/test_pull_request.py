"""Commands of the workflows: ``summary``, ``pull-request`` and ``drift``."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from operations import __main__ as operations
from operations.__main__ import app
from phalanx.errors import PhalanxError
from review.markdown import GITHUB_LIMIT, size
from review.reports import NotPreviewedError
from tests.unit.json_server import Answers, Request, json_server
from tests.unit.review import recorded

HEAD, MERGED = "b" * 40, "c" * 40
COMMENTS = "/repos/lsst-uk/rsp/issues/7/comments"
ISSUES = "/repos/lsst-uk/rsp/issues?per_page=100&labels=drift&state=open"
AUTHOR = {"login": "github-actions[bot]"}


def arguments(name: str) -> list[str]:
    return ["-s", "sandbox", str(recorded.DATA / f"{name}.jsonl"), "--diff", str(recorded.DATA / f"{name}.txt")]


def on_github(url: str, tmp_path: Path, **more: str) -> dict[str, Any]:
    """Return the variables of a workflow run for a pull request."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7, "head": {"sha": HEAD}}}))
    variables = {
        "GITHUB_API_URL": url,
        "GITHUB_REPOSITORY": "lsst-uk/rsp",
        "GITHUB_TOKEN": "planted",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_SHA": MERGED,
    }
    return {"GITLAB_CI": None, **variables, **more}


def on_gitlab(url: str, tmp_path: Path) -> dict[str, Any]:
    """Return the variables of a job for a merge request."""
    return on_github("", tmp_path) | {
        "GITLAB_CI": "true",
        "CI_API_V4_URL": url,
        "CI_PROJECT_ID": "5",
        "CI_MERGE_REQUEST_IID": "7",
        "CI_COMMIT_SHA": HEAD,
        "GITLAB_TOKEN": "planted",
    }


def test_summary_prints_markdown() -> None:
    done = CliRunner().invoke(app, ["summary", *arguments("application-deleted")])
    assert done.exit_code == 0
    assert done.stdout == recorded.report("application-deleted")


def test_summary_prints_json() -> None:
    done = CliRunner().invoke(app, ["summary", *arguments("refused"), "--json"])
    document = json.loads(done.stdout)
    assert document["succeeded"] is False
    assert document["lost"][0]["reasons"] == ["name"]
    assert document["applications"][0]["values"] == [
        {"path": "cadc-tap.config.gcsBucket", "old": "async", "new": "results"}
    ]


def test_summary_does_without_the_output_of_a_command_that_has_not_run(tmp_path: Path) -> None:
    log = str(recorded.DATA / "unchanged.jsonl")
    done = CliRunner().invoke(app, ["summary", "-s", "sandbox", log, "--diff", str(tmp_path / "missing.txt")])
    assert "**No changes**" in done.stdout


def test_another_file_is_refused_without_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["operations", "summary", "-s", "sandbox", str(tmp_path / "missing.jsonl")])
    with pytest.raises(SystemExit, match="No such file"):
        operations.main()
    assert capsys.readouterr().out == ""


def test_a_preview_is_commented_with_the_commit(tmp_path: Path) -> None:
    received: list[Request] = []
    answers: Answers = {f"GET {COMMENTS}?per_page=100": (200, []), f"POST {COMMENTS}": (201, {})}
    with json_server(answers, received) as url:
        given = ["pull-request", "comment", *arguments("created"), "-s", "new"]
        done = CliRunner().invoke(app, given, env=on_github(url, tmp_path))
    assert done.exit_code == 0, done.exception
    body = received[-1].body["body"]
    first, _, rest = body.partition("\n")
    assert first == f"<!-- rsp stack=new commit={recorded.of('created', 'new').commit} head={HEAD} -->"
    assert rest.startswith(f"## Preview of <code>new</code> at <code>{HEAD[:12]}</code>\n")
    assert size(body) <= GITHUB_LIMIT


def test_a_job_without_a_pull_request_cannot_comment(tmp_path: Path) -> None:
    variables = on_github("http://127.0.0.1:1", tmp_path, GITHUB_EVENT_PATH=str(tmp_path / "missing.json"))
    done = CliRunner().invoke(app, ["pull-request", "comment", *arguments("unchanged")], env=variables)
    assert isinstance(done.exception, PhalanxError)
    assert "does not belong to a pull request" in str(done.exception)


@pytest.mark.parametrize("head", [HEAD, "d" * 40])
def test_the_commit_of_the_preview_is_printed_for_the_environment(tmp_path: Path, head: str) -> None:
    """A pull request whose last commit has no successful preview is not deployed."""
    commit = recorded.of("unchanged").commit
    text = f"<!-- rsp stack=sandbox commit={commit} head={HEAD} -->\n## Preview"
    merged = {"number": 7, "head": {"sha": head}, "merged_at": "2026-01-01T00:00:00Z"}
    answers = {
        f"GET /repos/lsst-uk/rsp/commits/{MERGED}/pulls?per_page=100": (200, [merged]),
        f"GET {COMMENTS}?per_page=100": (200, [{"id": 1, "body": text, "user": AUTHOR}]),
    }
    with json_server(answers) as url:
        done = CliRunner().invoke(app, ["pull-request", "commit", "-s", "sandbox"], env=on_github(url, tmp_path))
    assert done.stdout == (f"RSP_CHECKOUT_COMMIT={commit}\n" if head == HEAD else "")
    assert done.exit_code == (0 if head == HEAD else 1)
    assert isinstance(done.exception, NotPreviewedError) is (head != HEAD)


def test_a_push_without_a_pull_request_is_deployed_with_a_warning(tmp_path: Path) -> None:
    answers: Answers = {f"GET /repos/lsst-uk/rsp/commits/{MERGED}/pulls?per_page=100": (200, [])}
    with json_server(answers) as url:
        done = CliRunner().invoke(app, ["pull-request", "commit", "-s", "sandbox"], env=on_github(url, tmp_path))
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith(f"::warning title=Not previewed::{MERGED} belongs to no pull request, ")


def test_gitlab_warns_in_color_of_a_deployment_without_a_preview(tmp_path: Path) -> None:
    answers: Answers = {f"GET /projects/5/repository/commits/{MERGED}/merge_requests?per_page=100": (200, [])}
    with json_server(answers) as url:
        variables = on_gitlab(url, tmp_path) | {"CI_COMMIT_SHA": MERGED}
        done = CliRunner().invoke(app, ["pull-request", "commit", "-s", "sandbox"], env=variables)
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr.startswith(f"\x1b[33m\x1b[1mWARNING: {MERGED} belongs to no pull request, ")


def test_outside_of_a_job_nothing_can_be_asked() -> None:
    variables = {"GITLAB_CI": None, "GITHUB_REPOSITORY": None, "GITHUB_TOKEN": "planted"}
    done = CliRunner().invoke(app, ["pull-request", "commit", "-s", "sandbox"], env=variables)
    assert str(done.exception) == "GITHUB_REPOSITORY is not set: expected a workflow of GitHub, or a job of GitLab"


def test_gitlab_is_recognized(tmp_path: Path) -> None:
    notes = "/projects/5/merge_requests/7/notes"
    answers = {
        "GET /user": (200, {"id": 1}),
        f"GET {notes}?per_page=100": (200, []),
        f"POST {notes}": (201, {}),
    }
    received: list[Request] = []
    with json_server(answers, received) as url:
        given = ["pull-request", "comment", *arguments("unchanged")]
        done = CliRunner().invoke(app, given, env=on_gitlab(url, tmp_path))
    assert done.exit_code == 0, done.exception
    assert received[-1].line == f"POST {notes}"


@pytest.mark.parametrize(
    ("name", "change"),
    [("drift", "POST /repos/lsst-uk/rsp/issues"), ("unchanged", "PATCH /repos/lsst-uk/rsp/issues/12"), ("failed", "")],
)
def test_drift_opens_closes_or_leaves_the_issue(tmp_path: Path, name: str, change: str) -> None:
    received: list[Request] = []
    present = [{"number": 12, "body": "<!-- rsp stack=sandbox -->\n", "user": AUTHOR}] if name == "unchanged" else []
    answers = {f"GET {ISSUES}": (200, present), change: (200, {})}
    with json_server(answers, received) as url:
        done = CliRunner().invoke(app, ["drift", *arguments(name)], env=on_github(url, tmp_path))
    assert done.exit_code == (1 if name == "failed" else 0)
    assert [each.line for each in received if not each.line.startswith("GET")] == ([change] if change else [])
    if name == "unchanged":
        assert received[-1].body["state"] == "closed"
