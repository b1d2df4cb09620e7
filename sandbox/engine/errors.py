"""What the engine raises: every message is written for the person who ran the command."""

from collections.abc import Mapping
from typing import Any

from sandbox.errors import SandboxError


class EngineError(SandboxError):
    """The command cannot be done; the message says why and how to mend it."""


class ResourceError(EngineError):
    """One resource cannot be planned, made, changed or removed."""


class PartialFailureError(ResourceError):
    """The real resource exists, but it is not as it should be.

    It is recorded all the same, so that the next run finds it instead of making a second one.

    Attributes:
        id: The identifier that the provider gave to it.
        outputs: What is known of it.
        replace: Whether only a new one can mend it (an instance in ERROR), or the next run tries again on the same
            one (an object whose readiness was waited for in vain).
    """

    def __init__(self, message: str, *, id: str, outputs: Mapping[str, Any], replace: bool) -> None:  # noqa: A002
        super().__init__(message)
        self.id = id
        self.outputs = dict(outputs)
        self.replace = replace


class InterruptedRunError(EngineError):
    """The person stopped the run; what was under way has been finished and recorded."""
