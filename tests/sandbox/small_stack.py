"""A stack of a few resources beside the sandbox's own, with its state in a directory of the test."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation

from sandbox import environment


@contextmanager
def small_stack(name: str, program: Callable[[], None], directory: Path) -> Iterator[automation.Stack]:
    """Create a stack; what it has made is deleted in the end.

    Args:
        name: Name of the stack, which is part of the names of what is made.
        program: Registers the resources.
        directory: Where the state goes.
    """
    backend = directory / "state"
    backend.mkdir()
    options = automation.LocalWorkspaceOptions(
        env_vars={**environment.variables(), "PULUMI_BACKEND_URL": f"file://{backend}"}
    )
    stack = automation.create_or_select_stack(name, project_name="rsp", program=program, opts=options)
    try:
        yield stack
    finally:
        stack.destroy()


def failure(stack: automation.Stack) -> str:
    """Run `up`, and return everything that the CLI prints when it fails.

    Raises:
        AssertionError: It does not fail.
    """
    try:
        stack.up(color="never")
    except automation.CommandError as error:
        return str(error)
    raise AssertionError("nothing failed")
