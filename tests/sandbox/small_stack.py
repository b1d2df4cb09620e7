"""Small stacks in the sandbox's cloud, each with its own backend."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pulumi import automation

from sandbox import environment


@contextmanager
def small_stack(
    name: str, program: Callable[[], None], directory: Path, **variables: str
) -> Iterator[automation.Stack]:
    """Create a stack, and destroy its resources afterwards.

    Args:
        name: Name of the stack, which is part of the resources' names.
        program: Registers the resources.
        directory: Directory for the backend.
        variables: Environment variables that differ from those of the sandbox.
    """
    backend = directory / "state"
    backend.mkdir()
    options = automation.LocalWorkspaceOptions(
        env_vars={**environment.variables(), "PULUMI_BACKEND_URL": f"file://{backend}", **variables}
    )
    stack = automation.create_or_select_stack(name, project_name="rsp", program=program, opts=options)
    try:
        yield stack
    finally:
        stack.destroy()


def failure(stack: automation.Stack) -> str:
    """Run `up`, which must fail, and return the output of the CLI.

    Raises:
        AssertionError: `up` succeeded.
    """
    try:
        stack.up(color="never")
    except automation.CommandError as error:
        return str(error)
    raise AssertionError("`up` succeeded")
