"""The output and exit status of the commands that run the program, and their environment."""

import json
import os
from typing import Any

import pytest
import typer
from pulumi import automation
from typer.testing import CliRunner

from sandbox import environment, program, pulumi_cli, tools
from sandbox.errors import SandboxError
from sandbox.pulumi_cli import Left, Outcome

SUCCEEDED = Outcome(summary={"create": 2, "same": 3}, seconds=1.5)
FAILED = Outcome(summary={"create": 1}, seconds=1.5, errors=["Port nfs-port: quota exceeded"])


class FakeCli:
    """A fake CLI that returns a given outcome and records the environment of the call."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self.token = ""

    def preview(self) -> Outcome:
        self.token = os.environ["VAULT_TOKEN"]
        return self._outcome

    destroy = preview

    def outputs(self, *, show_secrets: bool = False) -> dict[str, Any]:
        return {"bucket": "async", "vaultWriteToken": "s.1" if show_secrets else "[secret]"}


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    program.register(app)
    return app


@pytest.fixture
def run_as(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that installs a fake CLI, in an environment with a Vault token."""

    def use(outcome: Outcome = SUCCEEDED) -> FakeCli:
        fake = FakeCli(outcome)
        monkeypatch.setattr(pulumi_cli, "PulumiCli", lambda *_: fake)
        monkeypatch.setattr(tools, "ensure", lambda **_: None)
        monkeypatch.setattr(environment, "variables", lambda: {"VAULT_TOKEN": "operator"})
        return fake

    return use


def test_standard_output_has_only_json(app: typer.Typer, run_as: Any) -> None:
    run_as()
    result = CliRunner().invoke(app, ["preview", "--json"])
    assert result.exit_code == 0
    assert json.loads(result.stdout)["summary"] == {"create": 2, "same": 3}


def test_a_failure_is_in_the_json_and_in_the_exit_status(app: typer.Typer, run_as: Any) -> None:
    run_as(FAILED)
    result = CliRunner().invoke(app, ["preview", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.stdout)["errors"] == ["Port nfs-port: quota exceeded"]


def test_a_failure_says_how_to_continue(app: typer.Typer, run_as: Any) -> None:
    run_as(FAILED)
    result = CliRunner().invoke(app, ["preview"])
    assert isinstance(result.exception, SandboxError)
    assert str(result.exception).splitlines() == [
        "Port nfs-port: quota exceeded",
        "Completed operations are recorded in the state: run the same command again to continue.",
    ]


def test_the_environment_is_restored_after_the_run(app: typer.Typer, run_as: Any) -> None:
    fake = run_as()
    before = dict(os.environ)
    CliRunner().invoke(app, ["preview"], catch_exceptions=False)
    assert fake.token == "operator"
    assert dict(os.environ) == before


def test_secret_outputs_are_masked_by_default(app: typer.Typer, run_as: Any) -> None:
    run_as()
    masked = CliRunner().invoke(app, ["outputs", "--json"])
    shown = CliRunner().invoke(app, ["outputs", "--json", "--show-secrets"])
    assert json.loads(masked.stdout) == {"bucket": "async", "vaultWriteToken": "[secret]"}
    assert json.loads(shown.stdout)["vaultWriteToken"] == "s.1"


def test_destroy_lists_the_remaining_resources(app: typer.Typer, run_as: Any) -> None:
    kept = Left(name="nfs-data", type="openstack:blockstorage/volume:Volume", reason="protected")
    run_as(Outcome(summary={"delete": 5}, seconds=2, left=[kept]))
    result = CliRunner().invoke(app, ["destroy"])
    assert result.exit_code == 0
    assert "nfs-data" in result.stdout
    assert "protected" in result.stdout


def test_only_the_errors_of_the_clis_output_are_reported() -> None:
    output = """code: 255
stdout: Previewing update (sandbox):
    error: rsp:network.cidr: must be a private network
    error: an unhandled error occurred: program exited with non-zero exit code: 1
    error: rsp:network.cidr: must be a private network
"""
    error = automation.CommandError.__new__(automation.CommandError)
    Exception.__init__(error, output)
    assert pulumi_cli._reasons(error) == "error: rsp:network.cidr: must be a private network"  # noqa: SLF001


def test_output_without_errors_is_reported_in_full() -> None:
    error = automation.CommandError.__new__(automation.CommandError)
    Exception.__init__(error, "code: 1\nstdout: killed")
    assert pulumi_cli._reasons(error) == "code: 1\nstdout: killed"  # noqa: SLF001
