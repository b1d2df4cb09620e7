import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

T = TypeVar("T")


def run_hook(hook: Callable[[Any], Awaitable[T]], args: Any) -> T:
    """Run a hook as the engine does, and return its result."""

    async def run() -> T:
        return await hook(args)

    return asyncio.run(run())
