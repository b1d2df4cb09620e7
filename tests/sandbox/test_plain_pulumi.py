"""Plain Pulumi in the sandbox: the CLI, the language host and the plugins that `python -m sandbox env` selects."""

import json
import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sandbox import environment, paths
from sandbox.process import wait_for
from sandbox.tools import TOOLS
from tests.sandbox.program import Program

Pulumi = Callable[..., subprocess.CompletedProcess[str]]

PROJECT = """\
name: small
runtime: {name: python, options: {toolchain: pip, virtualenv: .venv}}
"""


@pytest.fixture
def project(program: Program, tmp_path: Path) -> Path:
    """Return a small project with its own backend."""
    del program
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    (tmp_path / "__main__.py").write_text(
        "import pulumi\npulumi.export('output', pulumi.Config().get_secret('word'))\n"
    )
    (tmp_path / ".venv").symlink_to(paths.CHECKOUT / ".venv")
    (tmp_path / "state").mkdir()
    run(tmp_path, "stack", "init", "test")
    return tmp_path


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["pulumi", *arguments], cwd=project, env=variables(project), text=True, capture_output=True, check=False
    )


def variables(project: Path) -> dict[str, str]:
    return {**os.environ, **environment.variables(), "PULUMI_BACKEND_URL": (project / "state").as_uri()}


def test_a_preview_does_not_warn_about_plugins_on_path(program: Program) -> None:
    done = program.attempt("preview")
    assert done.returncode == 0
    assert "warning" not in done.stdout + done.stderr
    assert "$PATH" not in done.stdout + done.stderr


def test_the_plugins_match_the_python_sdks(project: Path) -> None:
    listed = {
        f"pulumi-{each['kind']}-{each['name']}": each["version"]
        for each in json.loads(run(project, "plugin", "ls", "--json").stdout)
    }
    assert listed == {tool.name: tool.version for tool in TOOLS.values() if tool.plugin}


def test_the_interpreter_is_the_projects_own(project: Path) -> None:
    assert f"executable='{project / '.venv/bin/python'}'" in run(project, "about").stdout


def test_configuration_and_secrets_reach_the_program(project: Path) -> None:
    run(project, "config", "set", "--secret", "word", "planted-word")
    assert run(project, "up", "--yes", "--skip-preview").returncode == 0
    assert json.loads(run(project, "stack", "output", "--json").stdout) == {"output": "[secret]"}
    assert json.loads(run(project, "stack", "output", "--json", "--show-secrets").stdout) == {"output": "planted-word"}
    assert run(project, "preview", "--expect-no-changes").returncode == 0
    state = "".join(file.read_text() for file in (project / "state").rglob("*") if file.is_file())
    assert "planted-word" not in state


def test_a_run_error_is_printed_without_a_traceback(project: Path) -> None:
    (project / "__main__.py").write_text("import pulumi\nraise pulumi.RunError('rsp:network: is missing')\n")
    done = run(project, "preview")
    assert done.returncode != 0
    assert "error: rsp:network: is missing" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_exception_is_printed_with_the_programs_traceback(project: Path) -> None:
    (project / "__main__.py").write_text("1 / 0\n")
    done = run(project, "preview")
    assert done.returncode != 0
    assert "ZeroDivisionError: division by zero" in done.stdout
    assert "language_host" not in done.stdout


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGINT])
def test_no_process_outlives_the_cli(project: Path, sent: signal.Signals) -> None:
    (project / "__main__.py").write_text("import time\nprint('running', flush=True)\ntime.sleep(600)\n")
    with subprocess.Popen(
        ["pulumi", "preview"], cwd=project, env=variables(project), text=True, stdout=subprocess.PIPE
    ) as cli:
        assert cli.stdout
        assert any("running" in line for line in cli.stdout)
        started = psutil.Process(cli.pid).children(recursive=True)
        assert len(started) >= 2
        cli.send_signal(sent)
        cli.wait(20)
    wait_for(
        lambda: not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in started),
        lambda: f"{[each.cmdline() for each in started if each.is_running()]} have ended",
        timeout=10,
    )
