import os
import shutil

import pytest
from hypothesis import settings

from sandbox import tools

# How long an example takes tells of the machine and of what else it does, not of the code.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture
def helm(monkeypatch: pytest.MonkeyPatch) -> str:
    """Put Helm on PATH: the sandbox's, else the machine's; skip the test where neither is there yet."""
    monkeypatch.setenv("PATH", f"{tools.bin_dir()}{os.pathsep}{os.environ['PATH']}")
    found = shutil.which("helm")
    if found is None:
        pytest.skip("helm is not installed; `make up` gets it")
    return found
