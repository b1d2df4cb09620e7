from pathlib import Path

import pytest

from tests.unit.sample import write_stack


@pytest.fixture
def stack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to a directory with the file of a stack ``test``; return the directory."""
    monkeypatch.chdir(tmp_path)
    write_stack()
    return tmp_path
