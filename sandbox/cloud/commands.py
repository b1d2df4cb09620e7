"""Commands that run to their end, such as a database migration."""

import subprocess
from collections.abc import Mapping

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.process import ENVIRONMENT

_TAIL = 2000  # characters

_NOT_ALONE = ("/usr/bin/setpriv", "--pdeathsig", "KILL")
"""Ends the command with its starter: a migration that went on alone would meet its own second run."""


def run(*argv: str, log: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """Run a command to its end, and keep what it says in a log.

    Args:
        argv: The program and its arguments; never a secret, which everybody could read there.
        log: Name of the log in `paths.LOG`, without its suffix.
        env: Variables beside those that every process of the sandbox has.
        stdin: Text for its standard input: the way in for secrets.

    Returns:
        Its standard output.

    Raises:
        SandboxError: It failed; with the end of what it said.
    """
    file = paths.LOG / f"{log}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        (*_NOT_ALONE, *argv),
        env={**ENVIRONMENT, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    with file.open("a") as record:
        record.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        said = (done.stdout + done.stderr)[-_TAIL:].strip()
        raise SandboxError(f"`{' '.join(argv[:4])} ...` failed with status {done.returncode} (see {file}):\n{said}")
    return done.stdout
