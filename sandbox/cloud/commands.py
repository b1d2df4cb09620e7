"""Commands that terminate, such as a database migration."""

import subprocess
from collections.abc import Mapping

from sandbox import paths
from sandbox.errors import SandboxError
from sandbox.process import ENVIRONMENT

_TAIL = 2000  # characters

_DIE_WITH_PARENT = ("/usr/bin/setpriv", "--pdeathsig", "KILL")
"""Kills the command if the sandbox dies: a migration must not continue while the next run repeats it."""


def run(*argv: str, log: str, env: Mapping[str, str] | None = None, stdin: str | None = None) -> str:
    """Run a command and append its output to a log.

    Args:
        argv: Program and arguments, without secrets, as all users can read them.
        log: Name of the log in `paths.LOG`, without suffix.
        env: Variables in addition to `process.ENVIRONMENT`.
        stdin: Text for standard input, which may be secret.

    Returns:
        The command's standard output.

    Raises:
        SandboxError: The command failed; the message has the end of its output.
    """
    file = paths.LOG / f"{log}.log"
    file.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        (*_DIE_WITH_PARENT, *argv),
        env={**ENVIRONMENT, **(env or {})},
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    with file.open("a") as record:
        record.write(f"$ {' '.join(argv)}\n{done.stdout}{done.stderr}")
    if done.returncode:
        output = (done.stdout + done.stderr)[-_TAIL:].strip()
        raise SandboxError(f"`{' '.join(argv[:4])} ...` failed with status {done.returncode} (see {file}):\n{output}")
    return done.stdout
