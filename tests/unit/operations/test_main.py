"""Errors of services and files end a command without a traceback."""

import sys
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from keystoneauth1.exceptions import ConnectFailure, EndpointNotFound
from openstack.exceptions import HttpException

from operations import needed_secrets
from operations.__main__ import main
from recovery.pulumi_stack import PulumiStack


class Down:
    """A service whose requests all fail."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def __getattr__(self, name: str) -> Any:
        return Mock(side_effect=self._error)


pytestmark = pytest.mark.usefixtures("stack")


def error(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """Run a command, and return the error with which it exits."""
    monkeypatch.setattr(sys, "argv", ["operations", *arguments])
    with pytest.raises(SystemExit) as caught:
        main()
    return str(caught.value)


@pytest.mark.parametrize("command", [["leftovers", "-s", "test"], ["size", "-s", "test", "--cloud"]])
@pytest.mark.parametrize(
    "failure",
    [ConnectFailure("planted"), HttpException("planted"), EndpointNotFound("planted")],
    ids=["keystoneauth's", "the SDK's", "no such service"],
)
def test_a_service_that_does_not_answer(
    monkeypatch: pytest.MonkeyPatch, command: list[str], failure: Exception
) -> None:
    services = ("container_infrastructure_management", "compute", "network", "block_storage", "load_balancer")
    connection = SimpleNamespace(current_project_id="project-id", **dict.fromkeys(services, Down(failure)))
    monkeypatch.setattr(f"operations.{command[0]}.connect", lambda _: connection)
    assert error(monkeypatch, *command).startswith("Error: the request to the service failed (planted)")


def test_a_file_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needed_secrets, "find", lambda _: SimpleNamespace(complete_plan=lambda _: {}))
    found = error(monkeypatch, "secrets", "template", "-s", "test", "-o", "/nonexistent/x.yaml")
    assert found == "Error: /nonexistent/x.yaml: No such file or directory"


def test_an_error_of_the_program_itself_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PulumiStack, "export", Mock(side_effect=KeyError("planted")))
    monkeypatch.setattr(sys, "argv", ["operations", "diagram", "-s", "test"])
    with pytest.raises(KeyError, match="planted"):
        main()
