from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.engine import secrets
from sandbox.engine.config import StackConfig
from sandbox.engine.display import QuietDisplay
from sandbox.engine.engine import Destruction, Engine
from sandbox.engine.report import Report
from sandbox.engine.resources import Resource
from sandbox.engine.state import State
from tests.unit.engine.service import Service, registry


class Stack:
    """A stack on a fake service: `stack.up(program)` and so on."""

    def __init__(self, directory: Path) -> None:
        self.service = Service()
        self.directory = directory
        self.config: dict[str, str] = {}

    @property
    def file(self) -> Path:
        return self.directory / "test.json"

    def engine(self, program: Callable[[], Any]) -> Engine:
        config = StackConfig(
            project="demo",
            stack="test",
            root=self.directory,
            main=self.directory / "__main__.py",
            values=self.config,
        )
        return Engine(config, program, self.directory, registry(self.service), parallel=8)

    def preview(self, program: Callable[[], Any]) -> Report:
        return self.engine(program).preview(QuietDisplay())

    def up(self, program: Callable[[], Any]) -> Report:
        return self.engine(program).up(QuietDisplay(), QuietDisplay())[1]

    def refresh(self) -> Report:
        return self.engine(_nothing).refresh(QuietDisplay())

    def destroy(self) -> Destruction:
        return self.engine(_nothing).destroy(QuietDisplay())

    def outputs(self) -> dict[str, Any]:
        return self.engine(_nothing).outputs()

    def recorded(self, name: str) -> Resource:
        return next(each for each in State.open(self.file).live() if each.name == name)

    def names(self) -> set[str]:
        return {each.name for each in State.open(self.file).live() if each.custom}

    def journal(self) -> list[str]:
        """What the service was asked since the last call."""
        noted, self.service.journal = self.service.journal, []
        return noted


def _nothing() -> None:
    """A program without resources."""


@pytest.fixture(autouse=True)
def _quick_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "correct horse")
    monkeypatch.setattr(secrets, "_ROUNDS", 10)


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    return Stack(tmp_path)
