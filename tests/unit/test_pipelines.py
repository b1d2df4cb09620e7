"""The workflows of GitHub and the jobs of GitLab run commands that exist."""

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from operations.__main__ import app

ROOT = Path(__file__).parents[2]
WORKFLOWS, GITLAB = ROOT / ".github" / "workflows", ROOT / "ci" / "gitlab.yml"
FILES = [*sorted(WORKFLOWS.glob("*.yml")), GITLAB]
COMMANDS = sorted(
    {found for file in FILES for found in re.findall(r"-m operations ([a-z -]+?) --", file.read_text())},
)


def test_all_commands_are_found() -> None:
    assert COMMANDS == ["backup create", "drift", "pull-request comment", "pull-request commit", "summary"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_exists_with_its_options(command: str) -> None:
    done = CliRunner().invoke(app, [*command.split(), "--help"], env={"COLUMNS": "200"})
    assert done.exit_code == 0
    assert "--stack" in done.stdout
    assert ("--diff" in done.stdout) is (command not in {"backup create", "pull-request commit"})


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_commands_of_the_operator_have_the_event_log(file: Path) -> None:
    """Whatever changes or previews a stack writes the log that the report is made from.

    A runner may serve several jobs: the log is where it finds none of an earlier job.
    """
    for line in re.findall(r"pulumi (?:preview|up) .*--stack.*", file.read_text()):
        log = "$RSP_EVENTS" if file == GITLAB else "$RUNNER_TEMP/events.jsonl"
        assert f'--diff --color never --event-log "{log}"' in line


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_no_job_changes_a_stack_without_a_preview(file: Path) -> None:
    """An update refuses to delete what is protected only when it has changed and deleted other resources."""
    assert "--skip-preview" not in file.read_text()


def environments() -> dict[str, set[str]]:
    """Return the environments of the jobs by name of the job, as suffixes to the name of the stack."""
    found: dict[str, set[str]] = {}
    for file in FILES:
        document = yaml.safe_load(file.read_text())
        for name, job in (document if file == GITLAB else document["jobs"]).items():
            environment = job.get("environment", {}) if isinstance(job, dict) else {}
            text = environment if isinstance(environment, str) else environment.get("name", "")
            if suffix := re.fullmatch(r"(?:\$RSP_STACK|\$\{\{ matrix\.stack \}\})(.*)", text):
                found.setdefault(name.removeprefix("rsp-"), set()).add(suffix[1])
    return found


def test_only_previews_run_in_the_environment_of_previews() -> None:
    """They run the code of pull requests; a refresh needs the OpenStack user that deploys."""
    assert environments() == {"preview": {"-preview"}, "drift": {"-drift"}, "up": {""}, "backup": {"-backup"}}


@pytest.mark.parametrize("suffix", sorted(set().union(*environments().values())))
def test_environments_are_documented(suffix: str) -> None:
    assert f"`mysite{suffix}`" in (ROOT / "docs" / "howto" / "pull-requests.md").read_text()


def drift_scripts() -> dict[str, str]:
    """Return the commands of Drift that run Pulumi, on each service."""
    steps = yaml.safe_load((WORKFLOWS / "drift.yml").read_text())["jobs"]["drift"]["steps"]
    (workflow,) = [each["run"] for each in steps if "pulumi preview" in each.get("run", "")]
    return {"github": workflow, "gitlab": "\n".join(yaml.safe_load(GITLAB.read_text())["rsp-drift"]["script"])}


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_drift_without_the_deployed_commit_is_an_error(tmp_path: Path, service: str) -> None:
    """Without it, a branch that has moved since the last update would be reported as drift."""
    pulumi, calls = tmp_path / "pulumi", tmp_path / "calls"
    pulumi.write_text('#!/bin/sh\necho "$1" >> "$CALLS"\n[ "$1" = preview ]\n')
    pulumi.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", drift_scripts()[service]],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:{os.defpath}",
            "CALLS": str(calls),
            "RUNNER_TEMP": str(tmp_path),
            "RSP_DIFF": "/dev/null",
        },
        check=False,
    )
    assert done.returncode == 1
    assert calls.read_text() == "stack\n"


@pytest.mark.parametrize(("preview", "comment", "expected"), [(0, 0, 0), (255, 0, 255), (0, 1, 1)])
def test_a_job_on_gitlab_fails_if_the_preview_or_its_comment_does(
    tmp_path: Path, preview: int, comment: int, expected: int
) -> None:
    """In any case it comments, but not from `after_script`: it runs for canceled jobs, and its failure is ignored."""
    job = yaml.safe_load(GITLAB.read_text())["rsp-preview"]
    assert "after_script" not in job
    python, calls = tmp_path / ".venv" / "bin" / "python", tmp_path / "calls"
    python.parent.mkdir(parents=True)
    for file, status in ((tmp_path / "pulumi", preview), (python, comment)):
        file.write_text(f'#!/bin/sh\necho "$*" >> "$CALLS"\nexit {status}\n')
        file.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=tmp_path,
        env={
            "PATH": f"{tmp_path}:{os.defpath}",
            "CALLS": str(calls),
            "RSP_DIFF": "/dev/null",
            "RSP_EVENTS": str(calls),
        },
        check=False,
    )
    assert done.returncode == expected
    assert [line.split()[:3] for line in calls.read_text().splitlines()][1] == ["-m", "operations", "pull-request"]
