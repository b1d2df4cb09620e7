"""Error hooks that log why a resource did not become ready, which its provider does not report."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import pulumi
from pulumi import ErrorHook, ErrorHookArgs, ResourceHookBinding, ResourceTransformation

from program import engine_log
from program.hooks import bind_hooks, in_thread

T = TypeVar("T")

Explain = Callable[[T, Mapping[str, Any]], Sequence[str]]
"""A function of the credentials for a resource's service and the resource's inputs, with their names in the provider's
schema. It returns the reasons of the failure as lines of text without secrets; empty if there are none."""

_MAX_LINES: Final = 15
"""Maximum number of lines reported for a resource."""
_TIMEOUT: Final = 60
"""Timeout of an explanation in seconds."""


Access = Callable[[str], pulumi.Input[T] | None]
"""A function of a resource's logical name. It returns the credentials for the resource's service, such as a kubeconfig,
which may be secret; None for a resource whose failure cannot be explained, as that of a cluster that is removed."""


def error_hooks(explanations: Mapping[str, Explain[T]], access: Access[T]) -> list[ResourceTransformation]:
    """Return transformations for the options of a component, which add error hooks to its resources.

    Args:
        explanations: Functions that explain a failure, by resource type.
        access: Returns the credentials for a resource's service.
    """
    bindings = {
        token: ResourceHookBinding(on_error=[ErrorHook(f"explain {token}", reporter(explain, access))])
        for token, explain in explanations.items()
    }
    return [bind_hooks(bindings)]


def reporter(explain: Explain[T], access: Access[T]) -> Callable[[ErrorHookArgs], Awaitable[bool]]:
    """Return an error hook that logs why a resource failed and never retries the operation.

    Args:
        explain: Explains the failure.
        access: Returns the credentials for a resource's service.
    """

    async def report(args: ErrorHookArgs) -> bool:
        if not pulumi.runtime.is_dry_run():
            # An error of the hook must not hide the error of the resource.
            try:
                lines = await asyncio.wait_for(_reasons(explain, access, args), _TIMEOUT)
            except Exception as error:  # noqa: BLE001
                lines = [f"the reason could not be determined: {str(error) or type(error).__name__}"]
            _log(args.urn, lines)
        return False

    return report


async def _reasons(explain: Explain[T], access: Access[T], args: ErrorHookArgs) -> list[str]:
    credentials = access(args.name)
    if credentials is None:
        return []
    # Properties that contain secrets are Outputs.
    inputs = await _value(args.new_inputs or args.old_inputs or {})
    return list(await in_thread(explain, await _value(credentials), inputs))


async def _value(given: Any) -> Any:
    return await pulumi.Output.from_input(given).future()


def _log(urn: str, lines: Sequence[str]) -> None:
    """Log an error for a resource."""
    if not lines:
        return
    left_out = [f"… and {len(lines) - _MAX_LINES} more lines"] if len(lines) > _MAX_LINES else []
    text = "\n  ".join([*lines[:_MAX_LINES], *left_out])
    engine_log.error(urn, text)
