"""Says why a resource was awaited in vain: its provider only says that it was."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final, TypeVar

import pulumi
from pulumi import (
    ErrorHook,
    ErrorHookArgs,
    ResourceHookBinding,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)
from pulumi.runtime.proto import engine_pb2
from pulumi.runtime.settings import get_engine

T = TypeVar("T")

Explain = Callable[[T, Mapping[str, Any]], Sequence[str]]
"""Finds out why a resource failed, by what opens the service that it is in and by its inputs, under their names in the
provider's schema. Returns lines of text that are no secret; none if the resource is well or does not exist."""

_LINES: Final = 15
"""Lines that are reported of one resource."""
_PATIENCE: Final = 60
"""Seconds that it may take to find out."""


def explained(explanations: Mapping[str, Explain[T]], access: pulumi.Input[T]) -> list[ResourceTransformation]:
    """Return what makes the resources of a component explained when they fail, for its option ``transformations``.

    Args:
        explanations: What finds out the reason, by the resources' type.
        access: What opens the service that the resources are in, a kubeconfig for example; may be secret.
    """
    bindings = {
        token: ResourceHookBinding(on_error=[ErrorHook(f"explain {token}", reporter(explain, access))])
        for token, explain in explanations.items()
    }

    def bind(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        binding = bindings.get(args.type_)
        if binding is None:
            return None
        return ResourceTransformationResult(
            args.props, ResourceOptions.merge(args.opts, ResourceOptions(hooks=binding))
        )

    # Not the newer kind, for which the engine calls back with every resource and all its inputs.
    return [bind]


def reporter(explain: Explain[T], access: pulumi.Input[T]) -> Callable[[ErrorHookArgs], Awaitable[bool]]:
    """Return an error hook that logs why a resource failed, and never has the operation tried again.

    Args:
        explain: Finds out the reason.
        access: What opens the service that the resource is in.
    """

    async def report(args: ErrorHookArgs) -> bool:
        if not pulumi.runtime.is_dry_run():
            # Whatever goes wrong here must not take the place of what went wrong before.
            try:
                lines = await _find_out(explain, access, args)
            except Exception as error:  # noqa: BLE001
                lines = [f"the reason could not be found out: {str(error) or type(error).__name__}"]
            _log(args.urn, lines)
        return False

    return report


async def _find_out(explain: Explain[T], access: pulumi.Input[T], args: ErrorHookArgs) -> list[str]:
    # Properties with a secret in them are Outputs.
    inputs = await _value(args.new_inputs or args.old_inputs or {})
    asked = asyncio.to_thread(explain, await _value(access), inputs)
    return list(await asyncio.wait_for(asked, _PATIENCE))


async def _value(given: Any) -> Any:
    return await pulumi.Output.from_input(given).future()


def _log(urn: str, lines: Sequence[str]) -> None:
    """Log an error of a resource of which no more is known here than its URN, as it is not registered yet."""
    if not lines:
        return
    left_out = [f"… and {len(lines) - _LINES} lines more"] if len(lines) > _LINES else []
    text = "\n  ".join([*lines[:_LINES], *left_out])
    if engine := get_engine():
        engine.Log(engine_pb2.LogRequest(severity=engine_pb2.ERROR, message=text, urn=urn))
