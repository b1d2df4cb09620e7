"""Execution of Git, Helm and SOPS: without credentials, and never longer than a time limit."""

import os
import signal
import subprocess
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

CREDENTIALS = frozenset({"OS_", "PULUMI_", "VAULT_"})
"""Prefixes of the names of variables with credentials. Pulumi passes the whole configuration, decrypted, to the program
in ``PULUMI_CONFIG``, and also its passphrase."""


def environment(needed: Collection[str] = ()) -> dict[str, str]:
    """Return the environment without credentials, for a process that may run third-party code, such as a Git hook.

    Args:
        needed: Prefixes of `CREDENTIALS` that the process needs.
    """
    withheld = tuple(CREDENTIALS.difference(needed))
    return {name: value for name, value in os.environ.items() if not name.startswith(withheld)}


def run(
    command: Sequence[str | Path], *, env: Mapping[str, str], timeout: float, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a program without a terminal, and end it with all its children if it takes too long.

    Args:
        command: Program and arguments.
        env: Environment of the process.
        timeout: Time limit in seconds.
        stdin: Standard input.

    Raises:
        FileNotFoundError: The program is not installed.
        subprocess.CalledProcessError: The program failed.
        subprocess.TimeoutExpired: The program did not finish in time.
    """
    # A session of its own: no child can ask on the terminal, and the group has a number by which all of it is ended.
    with subprocess.Popen(
        command,
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except BaseException:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stdout, stderr)
    return subprocess.CompletedProcess(command, 0, stdout, stderr)
