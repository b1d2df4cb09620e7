"""Errors of the user reach them as one message, also if they are raised inside an `apply`."""

import pulumi
import pytest

from config.loader import ConfigError
from phalanx.errors import PhalanxError
from program.errors import user_errors


@pytest.mark.parametrize("error", [ConfigError("rsp:x: is wrong"), PhalanxError("rsp:x: is wrong")])
def test_an_error_becomes_a_message_without_its_origin(error: Exception) -> None:
    with pytest.raises(pulumi.RunError, match=r"^rsp:x: is wrong$") as caught, user_errors():
        raise error
    assert caught.value.__suppress_context__
