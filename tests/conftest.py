import os
import shutil

import pytest
from hypothesis import settings

from sandbox import tools

# The duration of an example depends on the machine's load, not on the code. Each run has other examples: a few suffice
# for a run that is soon repeated. GitHub and GitLab set CI.
settings.register_profile("thorough", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=40)
settings.load_profile("thorough" if os.environ.get("CI") else "quick")

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
