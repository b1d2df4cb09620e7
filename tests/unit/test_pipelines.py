"""The workflows of GitHub and the jobs of GitLab run commands that exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations.__main__ import app

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / ".github" / "workflows").glob("*.yml")), ROOT / "ci" / "gitlab.yml"]
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
    """Whatever changes or previews a stack writes the log that the report is made from."""
    for line in re.findall(r"pulumi (?:preview|up) .*--stack.*", file.read_text()):
        assert "--diff --color never --event-log" in line
