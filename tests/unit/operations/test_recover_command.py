from pathlib import Path

import pytest
from typer.testing import CliRunner

from operations import recover as command
from operations.__main__ import app
from recovery.pulumi_stack import PulumiStack
from recovery.report import Report


@pytest.mark.parametrize("directory", ["vualt", "README.md"])
def test_a_directory_that_does_not_exist_is_refused(directory: str) -> None:
    assert CliRunner().invoke(app, ["recover", "-s", "test", "-C", directory]).exit_code == 2


@pytest.mark.parametrize(("arguments", "directory"), [([], Path()), (["-C", "vault"], Path("vault"))])
def test_the_stack_is_that_of_the_project(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], directory: Path
) -> None:
    seen = []

    def look(stack: PulumiStack, **_: object) -> Report:
        seen.append(stack)
        return Report(dry_run=False)

    monkeypatch.setattr(command, "recover", look)
    monkeypatch.setattr(command, "adopt", look)
    assert CliRunner().invoke(app, ["recover", "-s", "test", *arguments]).exit_code == 0
    assert seen == [PulumiStack("test", directory)] * 2
