"""The workflows of GitHub and the jobs of GitLab run commands that exist."""

import os
import re
import subprocess
from collections.abc import Mapping
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


@pytest.mark.parametrize(("workflow", "job"), [("preview", "preview"), ("up", "up"), ("drift", "drift")])
def test_pulumi_has_the_credentials_of_each_backend_that_a_runner_reaches(workflow: str, job: str) -> None:
    """GitHub passes on only what a step names. The URL is a secret as well: that of PostgreSQL has a password."""
    steps = yaml.safe_load((WORKFLOWS / f"{workflow}.yml").read_text())["jobs"][job]["steps"]
    (variables,) = [each["env"] for each in steps if re.search(r"\bpulumi (preview|up) ", each.get("run", ""))]
    secrets = {name for name, value in variables.items() if value == f"${{{{ secrets.{name} }}}}"}
    backend = {"PULUMI_BACKEND_URL", "PULUMI_ACCESS_TOKEN", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    assert secrets == {*backend, "PULUMI_CONFIG_PASSPHRASE", "VAULT_TOKEN"}
    assert variables["VAULT_NAMESPACE"] == "${{ vars.VAULT_NAMESPACE }}"
    guide = (ROOT / "docs" / "howto" / "pull-requests.md").read_text()
    assert [name for name in variables if name not in guide] == []


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


@pytest.mark.parametrize("name", ["backup", "drift", "preview", "up"])
def test_jobs_of_stacks_run_where_a_variable_names_stacks(name: str) -> None:
    """A site may have a fork, or a repository that is none; others have no stack in which the jobs could succeed."""
    job = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"][name]
    assert job["if"].split(" && ")[0] == "vars.RSP_STACKS"
    assert job["strategy"]["matrix"] == {"stack": "${{ fromJSON(vars.RSP_STACKS || '[]') }}"}


def test_documentation_is_published_where_a_variable_says_so() -> None:
    """A site's private repository may have no GitHub Pages, or only public ones."""
    jobs = yaml.safe_load((WORKFLOWS / "docs.yml").read_text())["jobs"]
    (upload,) = [each["if"] for each in jobs["build"]["steps"] if "upload-pages" in each.get("uses", "")]
    assert upload == jobs["publish"]["if"] == "github.ref == 'refs/heads/main' && vars.RSP_PAGES == 'true'"
    assert "`RSP_PAGES` is `true`" in (ROOT / "docs" / "howto" / "pull-requests.md").read_text()


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


def run(script: str, directory: Path, programs: Mapping[str, str]) -> int:
    """Run the commands of a job in a directory with stand-ins for programs, by path, and return the exit code."""
    for path, commands in programs.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{commands}\n")
        file.chmod(0o755)
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", script],
        cwd=directory,
        env={
            "PATH": f"{directory}:{os.defpath}",
            "RUNNER_TEMP": str(directory),
            "GITHUB_STEP_SUMMARY": "/dev/null",
            "RSP_DIFF": "/dev/null",
            "RSP_EVENTS": "events.jsonl",
        },
        check=False,
    )
    return done.returncode


@pytest.mark.parametrize("service", ["github", "gitlab"])
def test_drift_without_the_deployed_commit_is_an_error(tmp_path: Path, service: str) -> None:
    """Without it, a branch that has moved since the last update would be reported as drift."""
    pulumi = 'echo "$1" >> calls\n[ "$1" = preview ]'
    assert run(drift_scripts()[service], tmp_path, {"pulumi": pulumi}) == 1
    assert (tmp_path / "calls").read_text() == "stack\n"


def reporting_scripts() -> dict[str, str]:
    """Return the commands that report on a run of Pulumi, also on a failed one, by job."""
    found = {"gitlab": "\n".join(yaml.safe_load(GITLAB.read_text())["rsp-preview"]["script"])}
    for name in ("preview", "up"):
        job = yaml.safe_load((WORKFLOWS / f"{name}.yml").read_text())["jobs"][name]
        (found[name],) = [each["run"] for each in job["steps"] if each.get("if") == "${{ !cancelled() }}"]
    return found


@pytest.mark.parametrize("job", ["gitlab", "preview", "up"])
@pytest.mark.parametrize("begun", [True, False])
def test_only_a_run_of_pulumi_that_has_begun_is_reported(tmp_path: Path, job: str, begun: bool) -> None:
    """Otherwise it has no event log, and the error of the report would hide that of Pulumi or of an earlier step."""
    if begun:
        (tmp_path / "events.jsonl").touch()
    programs = {"pulumi": "exit 3", ".venv/bin/python": 'echo "$*" >> calls'}
    assert run(reporting_scripts()[job], tmp_path, programs) == (3 if job == "gitlab" else 0)
    assert (tmp_path / "calls").exists() is begun


@pytest.mark.parametrize(("preview", "comment", "expected"), [(0, 0, 0), (255, 0, 255), (0, 1, 1)])
def test_a_job_on_gitlab_fails_if_the_preview_or_its_comment_does(
    tmp_path: Path, preview: int, comment: int, expected: int
) -> None:
    """In any case it comments, but not from `after_script`: it runs for canceled jobs, and its failure is ignored."""
    job = yaml.safe_load(GITLAB.read_text())["rsp-preview"]
    assert "after_script" not in job
    programs = {
        "pulumi": f"touch events.jsonl\nexit {preview}",
        ".venv/bin/python": f'echo "$*" >> calls\nexit {comment}',
    }
    assert run("\n".join(job["script"]), tmp_path, programs) == expected
    assert (tmp_path / "calls").read_text().split()[:3] == ["-m", "operations", "pull-request"]
