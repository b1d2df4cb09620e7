"""Error hooks that log why a resource did not become ready, which its provider does not report, or that retry."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import pulumi
from pulumi import ErrorHook, ErrorHookArgs, ResourceHookBinding, ResourceTransformation

from program import engine_log
from program.hooks import bind_hooks, in_thread

T = TypeVar("T")

Explain = Callable[[T, Mapping[str, Any], str], Sequence[str]]
"""A function of the credentials for a resource's service, the resource's inputs, with their names in the provider's
schema, and the provider's error. It returns the reasons of the failure as lines of text without secrets; empty if there
are none."""

Repeat = Callable[[T, Mapping[str, Any], str], bool]
"""A function of the same arguments. It returns whether to retry the operation, and may wait first."""

_MAX_LINES: Final = 15
"""Maximum number of lines reported for a resource."""
_TIMEOUT: Final = 60
"""Timeout of an explanation in seconds."""


Access = Callable[[str], pulumi.Input[T] | None]
"""A function of a resource's logical name. It returns the credentials for the resource's service, such as a kubeconfig,
which may be secret; None for a resource whose failure cannot be explained, such as one in a cluster that is being
removed."""


def error_hooks(
    explanations: Mapping[str, Explain[T]],
    access: Access[T],
    repetitions: Mapping[str, Repeat[T]] | None = None,
    after_creation: str = "",
) -> list[ResourceTransformation]:
    """Return transformations for the options of a component, which add error hooks to its resources.

    Args:
        explanations: Functions that explain a failure, by resource type.
        access: Returns the credentials for a resource's service.
        repetitions: Functions that decide whether to repeat the operation, by resource type.
        after_creation: What to do about a failed creation; it is logged after the reasons.
    """
    repeated = repetitions or {}
    bindings = {
        token: ResourceHookBinding(
            on_error=[ErrorHook(f"explain {token}", reporter(explain, access, repeated.get(token), after_creation))]
        )
        for token, explain in explanations.items()
    }
    return [bind_hooks(bindings)]


def reporter(
    explain: Explain[T], access: Access[T], repeat: Repeat[T] | None = None, after_creation: str = ""
) -> Callable[[ErrorHookArgs], Awaitable[bool]]:
    """Return an error hook that logs why a resource failed, unless the operation is to be repeated.

    Args:
        explain: Explains the failure.
        access: Returns the credentials for a resource's service.
        repeat: Decides whether to repeat the operation; it never is if None.
        after_creation: As for `error_hooks`.
    """

    async def report(args: ErrorHookArgs) -> bool:
        if not pulumi.runtime.is_dry_run():
            # An error of the hook must not hide the error of the resource.
            try:
                # Once: an operation that fails in the same way again is not what `repeat` takes it for.
                if repeat and len(args.errors) == 1 and await _repeated(repeat, access, args):
                    return True
                lines = await asyncio.wait_for(_reasons(explain, access, args), _TIMEOUT)
            except Exception as error:  # noqa: BLE001
                lines = [f"the reason could not be determined: {str(error) or type(error).__name__}"]
            # Without reasons, too: the service may have completed it although the provider has not seen it.
            way = [after_creation] if after_creation and args.failed_operation == "create" else []
            _log(args.urn, [*_shortened(lines), *way])
        return False

    return report


async def _repeated(repeat: Repeat[T], access: Access[T], args: ErrorHookArgs) -> bool:
    credentials = access(args.name)
    if credentials is None:
        return False
    return await in_thread(repeat, await _value(credentials), await _inputs(args), args.errors[0])


async def _reasons(explain: Explain[T], access: Access[T], args: ErrorHookArgs) -> list[str]:
    credentials = access(args.name)
    if credentials is None:
        return []
    error = args.errors[-1] if args.errors else ""
    return list(await in_thread(explain, await _value(credentials), await _inputs(args), error))


async def _inputs(args: ErrorHookArgs) -> Any:
    # Properties that contain secrets are Outputs.
    return await _value(args.new_inputs or args.old_inputs or {})


async def _value(given: Any) -> Any:
    return await pulumi.Output.from_input(given).future()


def _log(urn: str, lines: Sequence[str]) -> None:
    """Log an error for a resource."""
    if lines:
        engine_log.error(urn, "\n  ".join(lines))


def _shortened(lines: Sequence[str]) -> Sequence[str]:
    if len(lines) <= _MAX_LINES:
        return lines
    return [*lines[:_MAX_LINES], f"… and {len(lines) - _MAX_LINES} more lines"]
