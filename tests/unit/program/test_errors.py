"""Errors of the user reach them as one message, also if they are raised inside an `apply`."""

import pulumi
import pytest

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from program.errors import reported, user_errors
from tests.unit.recording import ProgramRunner


@pytest.mark.parametrize("error", [ConfigError("rsp:x: is wrong"), PhalanxError("rsp:x: is wrong")])
def test_an_error_becomes_a_message_without_its_origin(error: Exception) -> None:
    with pytest.raises(pulumi.RunError, match=r"^rsp:x: is wrong$") as caught, user_errors():
        raise error
    assert caught.value.__suppress_context__


def test_an_error_inside_an_apply_is_a_message_too(run_program: ProgramRunner) -> None:
    @reported
    def read(_: str) -> str:
        raise PhalanxError("Vault: does not answer")

    def program() -> None:
        class Component(pulumi.ComponentResource):
            def __init__(self) -> None:
                super().__init__("rsp:index:Component", "x")
                pulumi.Stash("stash", input=pulumi.Output.from_input("x").apply(read))

        Component()

    # Pulumi prints a RunError as it is, and the traceback of any other exception.
    with pytest.raises(pulumi.RunError, match=r"^Vault: does not answer$"):
        run_program(program)
