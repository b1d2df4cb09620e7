"""Repeated runs of a program until one succeeds, and what those that fail must print."""

import re
import time
from collections.abc import Callable, Sequence
from subprocess import CompletedProcess
from typing import Final

from tests.faults.proxy import FaultProxy, Injected
from tests.sandbox.program import Program

_Run = Callable[[], CompletedProcess[str]]

_RECOVER: Final = (
    "operations recover",
    # Helm's messages, for which docs/troubleshooting.md has the command.
    "another operation (install/upgrade/rollback) is in progress",
    "cannot re-use a name that is still in use",
)
"""Parts of the messages after which the recovery must be run."""
_RECOVERIES: Final = 10
"""Maximum number of recoveries in a row."""
_LOST: Final = re.compile(r"^  kubernetes:.*(EOF|connection|handshake)", re.DOTALL | re.MULTILINE)
"""Messages of a resource in Kubernetes after the loss of a connection, whose address they may not have."""
_LOOK_UP: Final = "Exception: invoke of openstack:"
"""Beginning of the last line of a traceback that Pulumi prints if a look-up fails."""


def run_until_complete(program: Program, proxy: FaultProxy, attempts: int) -> str:
    """Run `up`, and the recovery where a message says so, until `up` succeeds.

    Args:
        program: The program, whose requests go through the proxy.
        proxy: The running proxy.
        attempts: Maximum number of runs of `up`.

    Returns:
        The output of all commands.

    Raises:
        AssertionError: No run succeeded, or the output of one that failed does not say what happened.
    """
    outputs: list[str] = []
    for _ in range(attempts):
        done, faults = _attempt(proxy, lambda: program.attempt("up"), "up")
        outputs.append(done.stdout + done.stderr)
        if done.returncode == 0:
            return "\n".join(outputs)
        assert_explained(outputs[-1], faults)
        if _asks_for_recovery(outputs[-1]):
            outputs += _recover(program, proxy)
    raise AssertionError(f"none of {attempts} runs succeeded; the output of the last one:\n{outputs[-1]}")


def assert_explained(output: str, faults: Sequence[Injected]) -> None:
    """Check that the output of a failed run names one of its faults, with its service, and has no traceback.

    Raises:
        AssertionError: It does not.
    """
    explained = _asks_for_recovery(output) or any(_names(output, each) for each in faults)
    assert explained, f"none of {[*map(str, faults)]} in:\n{output}"
    assert "Traceback" not in output or _LOOK_UP in output, output


def _asks_for_recovery(output: str) -> bool:
    return any(each in output for each in _RECOVER)


def _names(output: str, injected: Injected) -> bool:
    """Return whether an output has the URL of a request, or its service in a message of this program."""
    if injected.service == "kubernetes" and any(map(_LOST.search, output.split("\n\n"))):
        return True
    address, service = injected.address, injected.service.capitalize()
    return any(each in output for each in (f"{address}{injected.path}", f"{service} at {address}:", f"{service}:"))


def _recover(program: Program, proxy: FaultProxy) -> list[str]:
    outputs: list[str] = []
    for _ in range(_RECOVERIES):
        done, _ = _attempt(proxy, lambda: program.try_to_operate("recover"), "recover")
        outputs.append(done.stdout + done.stderr)
        assert "Traceback" not in outputs[-1], outputs[-1]
        if done.returncode == 0:
            return outputs
    raise AssertionError(f"none of {_RECOVERIES} recoveries succeeded; the output of the last one:\n{outputs[-1]}")


def _attempt(proxy: FaultProxy, run: _Run, name: str) -> tuple[CompletedProcess[str], list[Injected]]:
    """Run a command; print and return its result with the faults."""
    before, started = len(proxy.injected), time.monotonic()
    done = run()
    faults = proxy.injected[before:]
    print(f"{name}: exit code {done.returncode} after {time.monotonic() - started:.0f} s", flush=True)  # noqa: T201
    for each in faults:
        print(f"  {each}", flush=True)  # noqa: T201
    return done, faults
