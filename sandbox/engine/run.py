"""Runs the program itself, each pass with its own event loop and SDK state, and stops it when the person says so."""

import asyncio
import contextvars
import logging
import os
import runpy
import signal
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final

import pulumi.runtime

from sandbox.engine.config import StackConfig
from sandbox.engine.deployment import Deployment
from sandbox.engine.errors import EngineError, InterruptedRunError
from sandbox.engine.monitor import Log, Monitor

_INTERRUPTED: Final = 130

Program = Callable[[], Awaitable[None] | None]


def main_of(config: StackConfig) -> Program:
    """The project's `__main__.py`, run as the Pulumi language host runs it: in the project's root, which is importable.

    Raises:
        EngineError: There is none.
    """
    if not config.main.exists():
        raise EngineError(f"there is no program: {config.main} is missing")

    def program() -> None:
        os.chdir(config.root)
        if str(config.root) not in sys.path:
            sys.path.insert(0, str(config.root))
        runpy.run_path(str(config.main), run_name="__main__")

    return program


def run_pass(program: Program, deployment: Deployment, parallel: int) -> None:
    """Run the program once against the deployment; failures of resources are in the report.

    Args:
        program: What registers the resources.
        deployment: Receives the registrations.
        parallel: How many operations at a time.

    Raises:
        EngineError: The program itself refused its input (`pulumi.RunError`).
        InterruptedRunError: The person stopped it.
        Exception: The program has a fault.
    """
    # The SDK keeps its settings, root stack and configuration in context variables: an empty context is a fresh SDK.
    contextvars.Context().run(_run, program, deployment, parallel)


def _run(program: Program, deployment: Deployment, parallel: int) -> None:
    config = deployment.config
    pulumi.runtime.configure(
        pulumi.runtime.Settings(
            project=config.project,
            stack=config.stack,
            monitor=Monitor(deployment),
            engine=Log(deployment.report),
            parallel=parallel,
            dry_run=deployment.dry_run,
            organization="organization",
            root_directory=str(config.root),
        )
    )
    pulumi.runtime.set_all_config(dict(config.values), sorted(config.secret_keys))
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)  # as the language host does: failures are reported by us

    async def run() -> None:
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(parallel, thread_name_prefix="engine"))
        await pulumi.runtime.run_in_stack(program)

    with interruptible(deployment.halt):
        try:
            asyncio.run(run())  # joins the executor at its end, so that every operation begun is recorded
        except pulumi.RunError as error:
            raise EngineError(str(error)) from error


@contextmanager
def interruptible(halt: Callable[[], None]) -> Iterator[None]:
    """Let Ctrl-C or SIGTERM stop the work inside the `with` block in good order.

    Args:
        halt: Makes the work begin nothing new, so that the block ends soon.

    Raises:
        InterruptedRunError: At the end of the block, if it was stopped.
    """
    interrupted = False

    def interrupt(_number: int, _frame: object) -> None:
        nonlocal interrupted
        if interrupted:
            os._exit(_INTERRUPTED)  # asked twice: the state is whole, and begun creations are on record in it
        interrupted = True
        halt()
        # Not through the report's lock, which the interrupted thread may hold.
        os.write(2, b"\nStopping when what is under way is finished and recorded; Ctrl-C again ends at once.\n")

    if threading.current_thread() is not threading.main_thread():
        yield  # signals reach the main thread only
        return
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, interrupt) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
    if interrupted:
        raise InterruptedRunError("interrupted: the state is whole, and the same command goes on from here")
