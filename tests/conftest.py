import os
import shutil

import pytest
from hypothesis import settings

from sandbox import tools

# The duration of an example depends on the machine's load, not on the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# In a workflow of GitHub, Typer would print help and errors as to a terminal, with colors between the words.
os.environ.pop("GITHUB_ACTIONS", None)


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put Helm on PATH, the sandbox's or else the machine's, and return its path; skip the test if there is none."""
    monkeypatch.setenv("PATH", f"{tools.bin_dir()}{os.pathsep}{os.environ['PATH']}")
    found = shutil.which("helm")
    if found is None:
        pytest.skip("helm is not installed; `make tools` installs it")
    return found
