"""Bind resource hooks to resources by type, and run what they do in threads."""

import asyncio
import functools
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from pulumi import (
    ResourceHookBinding,
    ResourceOptions,
    ResourceTransformation,
    ResourceTransformationArgs,
    ResourceTransformationResult,
)

P = ParamSpec("P")
T = TypeVar("T")


def bind_hooks(bindings: Mapping[str, ResourceHookBinding]) -> ResourceTransformation:
    """Return a transformation that adds hooks to resources.

    A transformation runs in this process. The newer form, a transform, would cost a callback from the engine for every
    resource, with all of its inputs.

    Args:
        bindings: Hooks by resource type.
    """

    def bind(args: ResourceTransformationArgs) -> ResourceTransformationResult | None:
        binding = bindings.get(args.type_)
        if binding is None:
            return None
        return ResourceTransformationResult(
            args.props, ResourceOptions.merge(args.opts, ResourceOptions(hooks=binding))
        )

    return bind


async def in_thread(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call a blocking function in a thread of the hooks.

    All default threads of the event loop may be waiting for operations that wait for a hook.
    """
    call = functools.partial(function, *args, **kwargs)
    return await asyncio.get_running_loop().run_in_executor(_threads(), call)


@functools.cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=8, thread_name_prefix="hooks")
